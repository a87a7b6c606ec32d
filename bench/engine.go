package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// engine is one connection to a database, past the server.
type engine struct {
	*sqlx.DB
	postgres bool
}

func isPostgres(dbURL string) bool {
	return strings.HasPrefix(dbURL, "postgres://") || strings.HasPrefix(dbURL, "postgresql://")
}

// newEngine opens one connection with the settings of the server's own writer,
// and others on top.
func newEngine(dbURL string, settings map[string]string) (*engine, error) {
	e := &engine{postgres: isPostgres(dbURL)}
	var err error
	if e.postgres {
		e.DB, err = sqlx.Open("pgx", dbURL)
	} else {
		options := url.Values{
			"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_busy_timeout": {"10000"},
			"_txlock": {"immediate"}, "_cache_size": {"-32768"},
		}
		for name, value := range settings {
			options.Set(name, value)
		}
		e.DB, err = sqlx.Open("sqlite3", "file:"+(&url.URL{Path: dbURL}).EscapedPath()+"?"+options.Encode())
	}
	if err != nil {
		return nil, err
	}
	e.SetMaxOpenConns(1)
	return e, nil
}

// table is one table as the schema describes it.
type table struct {
	name    string
	columns []string
	keys    [][]int // the columns of each unique index, the primary key first
}

// isState says whether the table has one row an outlet, which the server makes once
// and then changes in place: no request brings one of its own.
func (t table) isState() bool {
	return len(t.keys) > 0 && len(t.keys[0]) == 1 && t.columns[t.keys[0][0]] == "outlet_no"
}

// index is a secondary index as it was made.
type index struct{ name, definition string }

// tables lists what rows can be in. Partitions of a table are no tables of
// their own, nor is what the migrations keep of themselves.
func (e *engine) tables(ctx context.Context) (list []table, err error) {
	query := `select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'goose%' order by name`
	if e.postgres {
		query = `select relname from pg_class where relkind in ('r', 'p') and not relispartition and relname not like 'goose%'
and relnamespace = current_schema()::regnamespace order by relname`
	}
	var names []string
	if err := e.SelectContext(ctx, &names, query); err != nil {
		return nil, fmt.Errorf("tables: %w", err)
	}
	for _, name := range names {
		t := table{name: name}
		if t.columns, err = e.columns(ctx, name); err != nil {
			return nil, fmt.Errorf("columns of %s: %w", name, err)
		}
		keys, err := e.uniqueKeys(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("keys of %s: %w", name, err)
		}
		for _, key := range keys {
			var places []int
			for _, column := range key {
				places = append(places, slices.Index(t.columns, column))
			}
			if !slices.Contains(places, -1) { // an index on an expression says nothing about a column
				t.keys = append(t.keys, places)
			}
		}
		list = append(list, t)
	}
	return list, nil
}

func (e *engine) columns(ctx context.Context, name string) (list []string, err error) {
	query := `select name from pragma_table_xinfo(?) where hidden = 0 order by cid`
	if e.postgres {
		query = `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`
	}
	return list, e.SelectContext(ctx, &list, query, name)
}

// uniqueKeys lists the columns of each unique index, the primary key first.
func (e *engine) uniqueKeys(ctx context.Context, name string) (list [][]string, err error) {
	query := `select l.name as key, coalesce(i.name, '') as col from pragma_index_list(?) l, pragma_index_info(l.name) i
where l."unique" = 1 order by l.origin <> 'pk', l.name, i.seqno`
	if e.postgres {
		query = `select i.indexrelid::text as key, coalesce(a.attname, '') as col
from pg_index i cross join unnest(i.indkey) with ordinality as k(no, place)
left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.no
where i.indrelid = $1::regclass and i.indisunique order by not i.indisprimary, i.indexrelid, k.place`
	}
	var rows []struct{ Key, Col string }
	if err := e.SelectContext(ctx, &rows, query, name); err != nil {
		return nil, err
	}
	last := ""
	for _, r := range rows {
		if r.Key != last {
			list, last = append(list, nil), r.Key
		}
		list[len(list)-1] = append(list[len(list)-1], r.Col)
	}
	if len(list) > 0 || e.postgres {
		return list, nil
	}
	var rowid []string // "integer primary key" is no index
	err = e.SelectContext(ctx, &rowid, `select name from pragma_table_xinfo(?) where pk > 0 order by pk`, name)
	if len(rowid) > 0 {
		list = append(list, rowid)
	}
	return list, err
}

// queues lists the conditions of the table's partial indexes that are not
// unique: rows under one wait for something to be done with them. So does every
// row of the log's queue.
func (e *engine) queues(ctx context.Context, name string) (list []string, err error) {
	if name == "seal_queue" {
		return []string{"true"}, nil
	}
	if e.postgres {
		return list, e.SelectContext(ctx, &list, `select pg_get_expr(indpred, indrelid) from pg_index
where indrelid = $1::regclass and indpred is not null and not indisunique`, name)
	}
	indexes, err := e.indexes(ctx, name)
	for _, i := range indexes {
		if part := partialIndex.FindStringSubmatch(i.definition); part != nil {
			list = append(list, part[1])
		}
	}
	return list, err
}

var partialIndex = regexp.MustCompile(`(?is)^create\s+index\s.*?\swhere\s(.*)$`)

// indexes lists the table's indexes on SQLite, but for those that its keys are.
func (e *engine) indexes(ctx context.Context, name string) (list []index, err error) {
	var rows []struct{ Name, SQL string }
	err = e.SelectContext(ctx, &rows, `select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null`, name)
	for _, r := range rows {
		list = append(list, index{r.Name, r.SQL})
	}
	return list, err
}

// rows reads those of a table that meet the condition, "" for all.
func (e *engine) rows(ctx context.Context, t table, where string, args ...any) (list [][]any, err error) {
	query := `select ` + strings.Join(t.columns, ", ") + ` from ` + t.name
	if where != "" {
		query += ` where ` + where
	}
	rows, err := e.QueryxContext(ctx, e.Rebind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return nil, fmt.Errorf("rows of %s: %w", t.name, err)
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = slices.Clone(b) // the driver's own memory
			}
		}
		list = append(list, row)
	}
	return list, errors.Join(rows.Err(), rows.Close())
}
