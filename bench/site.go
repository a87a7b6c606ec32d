package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"

	"doorstep"
	"doorstep/access"
	"doorstep/store"
	"doorstep/vault"
)

// site is one installation of its own: a folder, keys, an empty database and
// the servers that are started on it. Everything goes with it.
type site struct {
	stage   *stage
	dir     string
	url     string   // of PostgreSQL, or the SQLite file
	admin   string   // of the PostgreSQL server; "" on SQLite
	extra   []string // further databases on it
	vault   *vault.Vault
	town    *town
	servers []*process

	references int // raw engines made so far
}

// newSite makes an installation whose consumers below wishes have some.
func (s *stage) newSite(ctx context.Context) (x *site, err error) {
	x = &site{stage: s}
	if x.dir, err = os.MkdirTemp(s.Dir, "site-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.close())
		}
	}()
	if x.vault, err = vault.Load(filepath.Join(x.dir, "keys.json")); err != nil {
		return nil, err
	}
	if s.Postgres == "" {
		x.url = filepath.Join(x.dir, "doorstep.db")
	} else {
		x.admin = s.Postgres
		if x.url, err = createDatabase(ctx, s.Postgres); err != nil {
			return nil, err
		}
	}
	token, err := x.tokens(ctx, access.Request{Role: doorstep.RoleIntegrator})
	if err != nil {
		return nil, err
	}
	x.town = newTown(token[0], s.Scale.Wishes)
	return x, nil
}

func createDatabase(ctx context.Context, server string) (string, error) {
	admin, err := sqlx.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	var suffix [6]byte
	if _, err := rand.Read(suffix[:]); err != nil {
		return "", err
	}
	name := "doorstep_bench_" + hex.EncodeToString(suffix[:])
	if _, err := admin.ExecContext(ctx, "create database "+name); err != nil {
		return "", fmt.Errorf("--db: %w", err)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("--db: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// close ends what still runs and removes everything.
func (x *site) close() (err error) {
	for _, p := range x.servers {
		err = errors.Join(err, p.stop())
	}
	x.servers = nil
	if x.admin != "" {
		for _, database := range append(x.extra, x.url) {
			err = errors.Join(err, dropDatabase(x.admin, database))
		}
	}
	return errors.Join(err, os.RemoveAll(x.dir))
}

// closeInto closes, and adds to an error what the servers had to say and what
// else went wrong.
func (x *site) closeInto(err *error) {
	for _, p := range x.servers {
		if said := p.log.String(); *err != nil && said != "" {
			*err = fmt.Errorf("%w\n%s", *err, said)
		}
	}
	*err = errors.Join(*err, x.close())
}

func dropDatabase(server, dbURL string) error {
	u, err := url.Parse(dbURL)
	if err != nil || len(u.Path) < 2 {
		return err // it was never made
	}
	admin, err := sqlx.Open("pgx", server)
	if err != nil {
		return err
	}
	defer admin.Close()
	_, err = admin.Exec("drop database if exists " + u.Path[1:] + " with (force)")
	return err
}

// zone is one in which it is mid-morning, so that no shift ends and no day
// begins while something is measured.
func zone(now time.Time) string {
	const morning = 9
	east := morning - now.UTC().Hour()
	if east < -11 {
		east += 24
	}
	return fmt.Sprintf("Etc/GMT%+d", -east) // POSIX counts westward
}

// open opens the database in this process, to prepare or to look.
func (x *site) open(ctx context.Context) (*store.DB, error) {
	return store.Open(ctx, store.Config{
		URL: x.url, Vault: x.vault, NewID: doorstep.MakeID, Now: now, TimeZone: zone(now()),
		Settle: store.Settle{Longest: time.Minute},
	})
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// with opens the database for one piece of work.
func (x *site) with(ctx context.Context, do func(*store.DB) error) error {
	db, err := x.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

const company = "default"

// tokens makes a token for each who.
func (x *site) tokens(ctx context.Context, who ...access.Request) (secrets []string, err error) {
	err = x.with(ctx, func(db *store.DB) error {
		office := access.Office{Store: db, Now: now, NewID: doorstep.MakeID, Random: rand.Reader}
		for _, r := range who {
			r.Company, r.TTL = company, 24*time.Hour
			secret, err := office.Create(ctx, r)
			if err != nil {
				return err
			}
			secrets = append(secrets, secret)
		}
		return nil
	})
	return secrets, err
}

// serve starts a server on the installation, which sends no pushes.
func (x *site) serve(ctx context.Context, args ...string) (*process, error) {
	return x.start(ctx, nil, args...)
}

// servePhones starts a server that pushes to phones at once, as fast as it can.
func (x *site) servePhones(ctx context.Context, phones *phones, inFlight int) (*process, error) {
	return x.start(ctx, []string{"SSL_CERT_FILE=" + phones.certificate},
		"--push-settle", "0s", "--push-rate", "1000000", "--push-in-flight", fmt.Sprint(inFlight),
		"--fcm-project", Project, "--fcm-endpoint", phones.endpoint)
}

func (x *site) start(ctx context.Context, env []string, args ...string) (*process, error) {
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--data", x.dir, "--db", x.url, "--log-level", "error", "--time-zone", zone(now()),
	}, args...)
	p, err := start(ctx, x.stage.Program, env, args...)
	if err == nil {
		x.servers = append(x.servers, p)
	}
	return p, err
}

// stop ends one server.
func (x *site) stop(p *process) error {
	for i, running := range x.servers {
		if running == p {
			x.servers = append(x.servers[:i], x.servers[i+1:]...)
			return p.stop()
		}
	}
	return errors.New("no such server")
}
