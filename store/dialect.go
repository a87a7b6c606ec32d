package store

import (
	"encoding/json"
	"fmt"
)

// dialect holds the few spellings in which the engines differ.
type dialect struct {
	name       string
	forUpdate  string // ends a select of rows that are changed next
	skipLocked string // ends a select that claims rows
	inList     string // ends "column ..." with membership in one list parameter
	listed     string // one list parameter of texts as a table, whose column is value
	asList     func(list any) any
	joined     string // a column's bytes, %s, of all rows as one row of hexadecimal digits, in the order of the other, %s
}

// skipLockedOf is skipLocked for one table of a join.
func (d dialect) skipLockedOf(table string) string {
	if d.skipLocked == "" {
		return ""
	}
	return " for update of " + table + " skip locked"
}

// forUpdateOf is forUpdate for one table of a join.
func (d dialect) forUpdateOf(table string) string {
	if d.forUpdate == "" {
		return ""
	}
	return " for update of " + table
}

var (
	sqlite = dialect{
		name:   "sqlite",
		inList: " in (select value from json_each(?))",
		listed: "json_each(?) as listed",
		asList: func(list any) any {
			text, err := json.Marshal(list)
			if err != nil { // lists are of strings and numbers
				panic(fmt.Sprintf("store: list parameter: %v", err))
			}
			return string(text)
		},
		joined: "coalesce(group_concat(hex(%s), '' order by %s), '')",
	}
	postgres = dialect{
		name:       "postgres",
		forUpdate:  " for update",
		skipLocked: " for update skip locked",
		inList:     " = any(?)",
		listed:     "unnest(?::text[]) as listed(value)",
		asList:     func(list any) any { return list },
		joined:     "coalesce(string_agg(encode(%s, 'hex'), '' order by %s), '')",
	}
)
