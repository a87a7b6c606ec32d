package store

import (
	"context"
	"fmt"
)

// KeptPlan is how SQLite looks up what phones sent before.
func (db *DB) KeptPlan(ctx context.Context) (steps []string, err error) {
	var rows []struct {
		ID, Parent, NotUsed int
		Detail              string
	}
	err = db.list(ctx, &rows, "explain query plan "+fmt.Sprintf(selectKept, db.inList), 1, 1, "[]")
	for _, r := range rows {
		steps = append(steps, r.Detail)
	}
	return steps, err
}
