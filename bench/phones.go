package bench

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Project is the Firebase project that the stand-in serves.
const Project = "bench"

// maxStreams is how many messages FCM takes at once on a connection, as seen
// from its settings frame.
const maxStreams = 100

// phones stands in for FCM, over HTTP/2 and TLS. It only counts, and notes when
// which alert arrived: push/sink checks and keeps messages as FCM does, and what
// that costs would be on both sides of a ratio and hide the difference.
type phones struct {
	endpoint    string
	certificate string // file
	server      *http.Server
	delay       atomic.Int64 // nanoseconds until an answer
	count       atomic.Int64

	mu      sync.Mutex
	arrived map[string]arrival // by alert
	sample  []byte             // the first message
	first   time.Time          // arrival since the last reset
}

type arrival struct {
	at    time.Time // the first time
	times int
}

// newPhones listens on loopback with a certificate of its own, kept in dir.
func newPhones(dir string) (*phones, error) {
	certificate, file, err := newCertificate(dir)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &phones{endpoint: "https://" + listener.Addr().String() + "/v1", certificate: file, arrived: map[string]arrival{}}
	p.server = &http.Server{
		Handler: p, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog: log.New(io.Discard, "", 0), // connections that break off when a server ends
	}
	go func() { _ = p.server.ServeTLS(listener, "", "") }() // ends with close
	return p, nil
}

func (p *phones) close() error { return p.server.Close() }

// ServeHTTP implements http.Handler.
func (p *phones) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	at := time.Now()
	if err != nil {
		return
	}
	p.note(body, at)
	if d := time.Duration(p.delay.Load()); d > 0 {
		time.Sleep(d)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"name":"projects/`+Project+`/messages/`+strconv.FormatInt(p.count.Add(1), 10)+`"}`)
}

// alertStart stands before an alert's id: data.alerts is JSON inside of JSON.
var alertStart = []byte(`{\"id\":\"`)

func (p *phones) note(body []byte, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first.IsZero() {
		p.first = at
	}
	if p.sample == nil {
		p.sample = body
	}
	for rest := body; ; {
		_, after, ok := bytes.Cut(rest, alertStart)
		if !ok {
			return
		}
		id, next, _ := bytes.Cut(after, []byte(`\"`))
		a := p.arrived[string(id)]
		if a.times == 0 {
			a.at = at
		}
		a.times++
		p.arrived[string(id)], rest = a, next
	}
}

// reset forgets what arrived.
func (p *phones) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived, p.first = map[string]arrival{}, time.Time{}
	p.count.Store(0)
}

// begun is when the first message since the reset arrived.
func (p *phones) begun() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first
}

// alertsHeard is how many alerts arrived, and how often one came again.
func (p *phones) alertsHeard() (alerts, again int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.arrived {
		again += a.times - 1
	}
	return len(p.arrived), again
}

// heard is when an alert arrived; false if it has not.
func (p *phones) heard(alert string) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.arrived[alert]
	return a.at, ok
}

// await waits until so many answers were given.
func (p *phones) await(ctx context.Context, messages int) error {
	for p.count.Load() < int64(messages) {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// newCertificate makes one for this machine, and the file by which others trust
// it.
func newCertificate(dir string) (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	file := filepath.Join(dir, "phones.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	err = errors.Join(err, os.WriteFile(file, text, 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file, err
}
