package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"
)

// effort is what a run cost on this machine. It times requests on their way.
type effort struct {
	where     database
	out       io.Writer
	began     time.Time
	day       time.Time       // when the present one began
	days      []time.Duration // how long each took
	requests  int
	slowest   time.Duration
	slowestAt string
}

func newEffort(where database, out io.Writer) *effort {
	now := time.Now()
	return &effort{where: where, out: out, began: now, day: now}
}

// RoundTrip implements http.RoundTripper. Requests go one after the other.
func (e *effort) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := http.DefaultTransport.RoundTrip(r)
	e.requests++
	if took := time.Since(began); took > e.slowest {
		e.slowest, e.slowestAt = took, r.Method+" "+r.URL.Path
	}
	return res, err
}

// week is how many days are told of at once.
const week = 7

// midnight ends a day; the first one begins.
func (e *effort) midnight(day int) {
	now := time.Now()
	if day > 0 {
		e.days = append(e.days, now.Sub(e.day))
	}
	e.day = now
	if day > 0 && day%week == 0 {
		fmt.Fprintf(e.out, "day %d: %s, a day of the week past took %s\n", day, e.sizes(), mean(e.days[day-week:]))
	}
}

// sizes are those of what could grow.
func (e *effort) sizes() string {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text := fmt.Sprintf("%.1f s, %.1f MB live heap", time.Since(e.began).Seconds(), megabytes(int64(m.HeapAlloc)))
	if info, err := os.Stat(e.where.url()); err == nil {
		text += fmt.Sprintf(", %.1f MB file", megabytes(info.Size()))
	}
	return text
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

func mean(list []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range list {
		sum += d
	}
	return (sum / time.Duration(len(list))).Round(time.Millisecond)
}

// tell sums up.
func (e *effort) tell() {
	fmt.Fprintf(e.out, "%d days in %s; %d requests, the slowest %s (%s); the slowest day %s\n",
		len(e.days), e.sizes(), e.requests, e.slowest.Round(time.Millisecond), e.slowestAt, slices.Max(e.days).Round(time.Millisecond))
}
