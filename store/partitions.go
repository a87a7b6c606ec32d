package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3/lock"
)

// MostParts bounds the partitions of a table: a statement locks all of them
// until its plan says which it needs.
const MostParts = 256

// growing are the tables that get rows with every parcel or alert. The others
// that belong to outlets grow with couriers, devices and complaints.
var growing = []string{
	"alert", "attempt", "call_intent", "delivery", "dispatch", "escalation", "evidence", "evidence_value", "log_leaf", "log_tile", "parcel",
	"photo", "photo_blob", "photo_record", "provider_contact", "provider_record", "push", "push_alert", "receipt", "scan", "sign_for",
}

// Parts is a table and over how many partitions it is spread; 1 is a plain
// table.
type Parts struct {
	Table string
	Parts int
}

// Partitions says how the tables that grow with every parcel are kept.
func (db *DB) Partitions(ctx context.Context) (list []Parts, err error) {
	if db.name != postgres.name {
		return nil, errPlain
	}
	err = db.list(ctx, &list, `select c.relname as "table", greatest(1, (select count(*) from pg_inherits i where i.inhparent = c.oid)) as parts
from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname = any(?) order by c.relname`, growing)
	if err != nil {
		return nil, fmt.Errorf("partitions: %w", err)
	}
	return list, nil
}

var errPlain = errors.New("only PostgreSQL has partitions")

// Partition spreads the tables that grow with every parcel over so many
// partitions each, by a hash of the outlet's number; 1 makes them plain again.
// Each table is copied in a transaction of its own, under the lock of the
// migrations, with everybody else kept out of it. What breaks off is gone on
// with by the next call.
func (db *DB) Partition(ctx context.Context, parts int) (err error) {
	if parts < 1 || parts > MostParts {
		return fmt.Errorf("partition: parts must be 1 to %d", MostParts)
	}
	list, err := db.Partitions(ctx)
	if err != nil {
		return err
	}
	var distributed bool
	if err := db.get(ctx, &distributed, `select count(*) > 0 from pg_extension where extname = 'citus'`); err != nil {
		return fmt.Errorf("partition: %w", err)
	}
	if distributed {
		return errors.New("partition: Citus spreads the tables itself, and takes none that are partitioned by hash")
	}
	conn, err := db.pool.Connx(ctx)
	if err != nil {
		return fmt.Errorf("partition: %w", err)
	}
	defer conn.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("partition: %w", err)
	}
	if err := locker.SessionLock(ctx, conn.Conn); err != nil {
		return fmt.Errorf("partition: %w", err)
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn.Conn)) }()
	for _, t := range list {
		if t.Parts == parts {
			continue
		}
		if err := repartition(ctx, conn, t.Table, parts); err != nil {
			return fmt.Errorf("partition %s: %w", t.Table, err)
		}
	}
	return nil
}

// repartition copies one table into a new one of the same name, and gives it
// the keys, indexes and triggers of the old one, under their names.
func repartition(ctx context.Context, conn *sqlx.Conn, table string, parts int) error {
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after the commit
	run := func(statement string) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	}
	if err := run(`lock table ` + table + ` in access exclusive mode`); err != nil {
		return err
	}
	var made []string // what the table has beside its columns
	if err := tx.SelectContext(ctx, &made, furniture, table); err != nil {
		return err
	}
	var guards []string // triggers that a partition does not get from its parent
	err = tx.SelectContext(ctx, &guards, `select pg_get_triggerdef(oid) from pg_trigger
where tgrelid = $1::regclass and not tgisinternal and tgtype & 1 = 0`, table)
	if err != nil {
		return err
	}
	old := table + "_before"
	statements := []string{`alter table ` + table + ` rename to ` + old}
	create := `create table ` + table + ` (like ` + old + ` including all excluding indexes)`
	if parts == 1 {
		statements = append(statements, create)
	} else {
		statements = append(statements, create+` partition by hash (outlet_no)`)
		for i := range parts {
			statements = append(statements, fmt.Sprintf(`create table %s partition of %s for values with (modulus %d, remainder %d)`,
				part(table, i, parts), table, parts, i))
		}
	}
	statements = append(statements, `insert into `+table+` select * from `+old, `drop table `+old)
	statements = append(statements, made...)
	if parts > 1 {
		for _, guard := range guards {
			for i := range parts {
				statements = append(statements, strings.Replace(guard, "."+table+" ", "."+part(table, i, parts)+" ", 1))
			}
		}
	}
	for _, s := range append(statements, `analyze `+table) {
		if err := run(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return tx.Commit()
}

// part names a partition. The number of parts is in it, so that old and new
// ones can stand side by side.
func part(table string, i, parts int) string { return fmt.Sprintf("%s_%d_of_%d", table, i, parts) }

// furniture reads how to make a table's constraints, indexes and triggers anew.
// Of a partitioned table's index PostgreSQL says "on only", which would leave
// the partitions without.
const furniture = `select text from (
  select 1 as place, conname as name, 'alter table ' || quote_ident(c.relname) || ' add constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(k.oid) as text
  from pg_constraint k join pg_class c on c.oid = k.conrelid where k.conrelid = $1::regclass and k.contype in ('p', 'u')
  union all
  select 2, indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
  from pg_index x where indrelid = $1::regclass and not exists (select 1 from pg_constraint k where k.conindid = x.indexrelid)
  union all
  select 3, tgname, pg_get_triggerdef(oid) from pg_trigger where tgrelid = $1::regclass and not tgisinternal) made
order by place, name`
