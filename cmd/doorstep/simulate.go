package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"doorstep"
	"doorstep/i18n"
	"doorstep/people"
)

// simulateCmd lives through a made-up town twice at once: two companies on one
// server, with the same place, parcels and chances. In the first half of the time
// both learn and show nothing; in the second, one shows its alerts. docs/simulation.md says what the result means.
type simulateCmd struct {
	Town   people.Assumptions `embed:""`
	DB     string             `name:"db" placeholder:"URL" help:"An empty PostgreSQL database, postgres://..., which is filled (default: a temporary SQLite file)."`
	Locale string             `default:"en" enum:"en,zh-CN" help:"Language of the result: en or zh-CN."`
	JSON   bool               `name:"json" help:"Print the result as JSON."`
}

const simulatedZone = "Asia/Shanghai"

// Run prints what follows from the flags alone on standard output, and how the
// run went on standard error.
func (c *simulateCmd) Run(ctx context.Context, s *streams) (err error) {
	if err := c.Town.Check(); err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "doorstep-simulate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	log, err := logger(s, "warn")
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(simulatedZone)
	if err != nil {
		return err
	}
	words, err := people.Words()
	if err != nil {
		return err
	}
	place := people.New(c.Town, zone)
	where := database{Data: data, DB: c.DB, TimeZone: simulatedZone}
	house, err := openHouse(ctx, where, place.Midnight(0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.db.Close()) }()
	return house.serve(ctx, log, func(ctx context.Context) error {
		e := newEffort(where, s.Err)
		sim := newSimulation(place, house, words, e)
		if err := sim.live(ctx); err != nil {
			return fmt.Errorf("on %s: %w", house.clock.Now().In(zone).Format(time.DateTime), err)
		}
		outcome, err := sim.outcome(ctx)
		if err != nil {
			return err
		}
		e.tell()
		return c.print(s.Out, outcome)
	})
}

func (c *simulateCmd) print(w io.Writer, o simulated) error {
	if !c.JSON {
		return o.write(w, i18n.For(c.Locale))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(o)
}

// simulation is both arms at one time.
type simulation struct {
	town   *people.Town
	house  *simulatedHouse
	agenda *agenda
	arms   []*arm
	effort *effort
}

// The arms, by their companies.
const withheld, shown = "withheld", "shown"

func newSimulation(place *people.Town, house *simulatedHouse, words people.Phrasebook, e *effort) *simulation {
	s := &simulation{town: place, house: house, agenda: &agenda{}, effort: e}
	client := apiClient{base: house.base, client: &http.Client{Transport: e, Timeout: time.Minute}}
	for _, company := range []string{withheld, shown} {
		s.arms = append(s.arms, &arm{
			company: company, town: place, house: house, agenda: s.agenda, words: words, api: client,
			out: map[doorstep.Waybill]*load{},
		})
	}
	return s
}

// After the last parcels the town lives on until every complaint of theirs is
// older than what within_7d_share waits for.
const (
	aftermath   = 10
	dispatchAt  = 7*time.Hour + 30*time.Minute
	phonesAwake = 2 * time.Minute // after the dispatch
)

// live is from the first midnight to the end.
func (s *simulation) live(ctx context.Context) error {
	for _, a := range s.arms {
		if err := a.settle(ctx); err != nil {
			return err
		}
	}
	s.agenda.plan(s.town.Midnight(0), func(ctx context.Context) error { return s.begin(ctx, 0) })
	return s.agenda.live(ctx, s.house.clock)
}

// begin plans a day: what the workers do, and who goes out.
func (s *simulation) begin(ctx context.Context, day int) error {
	for _, w := range s.house.nightly {
		if err := w.all(ctx); err != nil {
			return err
		}
	}
	s.effort.midnight(day)
	if day == s.town.Days+aftermath {
		return nil
	}
	midnight := s.town.Midnight(day)
	for hour := range 24 {
		s.agenda.plan(midnight.Add(time.Duration(hour)*time.Hour), s.work)
	}
	s.agenda.plan(s.town.Midnight(day+1), func(ctx context.Context) error { return s.begin(ctx, day+1) })
	if day == s.town.Days-s.town.Days/2 {
		for _, a := range s.arms {
			if a.company != shown {
				continue
			}
			if err := a.handOutPhones(ctx); err != nil {
				return err
			}
		}
	}
	if day >= s.town.Days {
		return nil
	}
	list := s.town.ParcelsOf(day)
	s.agenda.plan(midnight.Add(dispatchAt), func(ctx context.Context) error {
		for _, a := range s.arms {
			if err := a.dispatch(ctx, list); err != nil {
				return err
			}
		}
		return nil
	})
	s.agenda.plan(midnight.Add(dispatchAt+phonesAwake), func(ctx context.Context) error {
		if err := s.house.sender.all(ctx); err != nil {
			return err
		}
		for _, a := range s.arms {
			for courier := range a.couriers {
				if err := a.look(ctx, courier); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return nil
}

// work has every worker of the hour do what is due.
func (s *simulation) work(ctx context.Context) error {
	for _, w := range s.house.hourly {
		if err := w.all(ctx); err != nil {
			return err
		}
	}
	return nil
}
