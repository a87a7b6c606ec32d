package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// nodes is two servers on one PostgreSQL against one of them, with the same
// clients: half of them at each. Both run all the time and send the pushes.
func (s *stage) nodes(ctx context.Context) (rows []Row, err error) {
	const connections = 8
	x, phones, err := s.newRingingSite(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { x.closeInto(&err); err = errors.Join(err, phones.close()) }()
	var addrs []string
	for range 2 {
		server, err := x.servePhones(ctx, phones, usualInFlight)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, server.addr)
	}
	own := feeds(connections, func(i int) *orders { return x.town.batches(i, unit) })
	one := target{addrs[0], own}
	half := [2]target{{addrs[0], own[:connections/2]}, {addrs[1], own[connections/2:]}}
	if err := s.warmUp(ctx, half[0], half[1]); err != nil {
		return nil, err
	}
	row := Row{
		Name: "nodes", Title: "two servers on one PostgreSQL, batches of 1,000 over 8 connections, load and database on the same processors",
		Unit: "dispatches/s", Goal: &Goal{Must: 0.85, Aim: 1}, Against: "one of the servers with all the clients",
	}
	row.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, half[0], half[1]) },
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, one) })
	if err != nil {
		return nil, err
	}
	row.Note, err = x.nothingTwice(ctx, phones)
	return []Row{row.sum()}, err
}

// nothingTwice waits until the phones have heard of every alert, and looks for
// any that they heard of again, and for dispatches that are not there or too
// many.
func (x *site) nothingTwice(ctx context.Context, phones *phones) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, err := newEngine(x.url, nil)
	if err != nil {
		return "", err
	}
	defer e.Close()
	var dispatches, alerts int
	if err := e.GetContext(ctx, &dispatches, "select count(*) from dispatch"); err != nil {
		return "", err
	}
	if err := e.GetContext(ctx, &alerts, "select count(*) from alert"); err != nil {
		return "", err
	}
	sent := int(x.town.waybill.Load()-firstOfLoad) + 1 // and the one by which the wishes were learned
	if dispatches != sent {
		return "", fmt.Errorf("%d dispatches were accepted and %d are there", sent, dispatches)
	}
	for {
		heard, again := phones.alertsHeard()
		switch {
		case again > 0:
			return "", fmt.Errorf("%d alerts were sent twice", again)
		case heard == alerts:
			return fmt.Sprintf("each of %d dispatches is there once, each of %d alerts was sent once", dispatches, alerts), nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return "", fmt.Errorf("%d of %d alerts were sent: %w", heard, alerts, err)
		}
	}
}
