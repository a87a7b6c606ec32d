package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"doorstep"
)

// News says that a commit left something to send, here or on another node.
type News struct {
	Couriers []int64 // whose inboxes have grown
	Missed   bool    // others' may have, too: nobody listened for a while
	Events   bool    // that the relay has to number; heard of on this node only
	Records  bool    // that the sealer has to put into the log; on this node only
	Reports  bool    // of providers, that the sorter has to read; on this node only
	Numbered bool    // events that webhooks wait for; heard of on this node only
}

// OnNews sets what is told of commits. Call it before the database is shared;
// it must not block.
func (db *DB) OnNews(tell func(News)) { db.tell = tell }

// EnsureCourier gives the number of the courier behind a token, under which
// there is news of him, and makes him bare if nobody has named him yet.
func (db *DB) EnsureCourier(ctx context.Context, a doorstep.Actor) (int64, error) {
	courier, err := db.courierOrNew(ctx, a)
	return courier.No, err
}

// newsChannel is the PostgreSQL channel that nodes share. Notifications arrive
// after the commit, but on Citus never cross nodes: there all doorstep nodes
// use the coordinator.
const newsChannel = "doorstep_news"

// maxNews bounds a notification; PostgreSQL takes under 8,000 bytes.
const maxNews = 7900

// announce puts news into the transaction: this node and the others hear of it
// if and when it commits. On SQLite there are no others.
func (db *DB) announce(tx *Tx, couriers []int64) error {
	tx.afterCommit(func() { db.tell(News{Couriers: couriers}) })
	return db.notify(tx, encodeNews(couriers)...)
}

// notify has the other nodes told, if and when the transaction commits.
func (db *DB) notify(tx *Tx, texts ...string) error {
	if db.name != postgres.name {
		return nil
	}
	for _, text := range texts {
		if err := tx.exec(`select pg_notify(?, ?)`, newsChannel, text); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
	}
	return nil
}

// encodeNews writes courier numbers as texts that each fit a notification: one
// empty text where there is none, since there is still something to send.
func encodeNews(couriers []int64) []string {
	texts := []string{""}
	for _, no := range couriers {
		one := strconv.FormatInt(no, 36)
		last := &texts[len(texts)-1]
		switch {
		case *last == "":
			*last = one
		case len(*last)+1+len(one) > maxNews:
			texts = append(texts, one)
		default:
			*last += "," + one
		}
	}
	return texts
}

func decodeNews(text string) (n News) {
	if text == "" {
		return n
	}
	for one := range strings.SplitSeq(text, ",") {
		no, err := strconv.ParseInt(one, 36, 64)
		if err != nil { // a later version's: better to look everywhere than to miss something
			return News{Missed: true}
		}
		n.Couriers = append(n.Couriers, no)
	}
	return n
}

const (
	// reconnectWait is how long Hear waits after it lost its connection.
	reconnectWait = time.Second

	// farewell bounds the goodbye to a server that may be gone.
	farewell = time.Second
)

// Hear tells of other nodes' commits until ctx ends, and keeps the index that
// lives on them. On SQLite, where every commit is this process's own or a
// command's, there is nothing to hear but of a log that could not be emptied. lost
// is told of that, of each connection that broke and of each failure to build the
// index, from more than one goroutine.
func (db *DB) Hear(ctx context.Context, lost func(error)) error {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	keeping.Go(func() { db.keepWishIndex(ctx, lost) })
	if db.log != nil {
		for {
			select {
			case <-ctx.Done():
				return nil
			case err := <-db.log.faults:
				lost(err)
			}
		}
	}
	for {
		err := db.hearOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		db.wishes.forget()
		lost(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reconnectWait):
		}
	}
}

func (db *DB) hearOnce(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "listen "+newsChannel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	db.tell(News{Missed: true}) // what was said before we listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		if no, consumer, ok := decodeWishChange(n.Payload); ok {
			db.wishes.hear(no, consumer)
			continue
		}
		db.tell(decodeNews(n.Payload))
	}
}
