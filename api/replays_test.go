package api_test

import (
	"context"
	"sync"

	"doorstep/api/replay"
)

// replays keeps answers in memory.
type replays struct {
	mu        sync.Mutex
	entries   map[replay.Scope]replay.Entry
	finishErr error
}

func (s *replays) Begin(_ context.Context, a replay.Attempt) (*replay.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *replay.Entry
	if e, ok := s.entries[a.Scope]; ok {
		found = &e
	}
	answer, err := replay.Meet(found, a)
	if answer == nil && err == nil {
		s.entries[a.Scope] = a.Entry()
	}
	return answer, err
}

func (s *replays) Finish(ctx context.Context, a replay.Attempt, answer replay.Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finishErr != nil {
		return s.finishErr
	}
	if e := s.entries[a.Scope]; e.Claim == a.Claim {
		e.Answer = &answer
		s.entries[a.Scope] = e
	}
	return ctx.Err()
}

func (s *replays) Abandon(ctx context.Context, a replay.Attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[a.Scope].Claim == a.Claim {
		delete(s.entries, a.Scope)
	}
	return ctx.Err()
}
