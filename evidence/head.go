package evidence

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
)

// Log names one log: an outlet's, or a company's over the heads of its outlets'
// logs. A company's stands under the company's own number.
type Log struct {
	No      doorstep.OutletNo
	Company string
	Outlet  string // the carrier's id; empty: the company's log
}

// Head is the state of an outlet's log, as a leaf of its company's.
type Head struct {
	Log
	Size int64
	Text string // of the leaf
}

const headHeader = "doorstep/head/v1"

// NewHead takes down the state of an outlet's log. key is the log keys' name.
func NewHead(key string, log Log, tree Tree, at time.Time) Head {
	return Head{log, tree.Size, fmt.Sprintf("%s\nlog %s\nsize %d\nroot %s\nat %s\n",
		headHeader, Origin(key, log.Company, log.Outlet), tree.Size, tree.Root(), at.UTC().Format(leafTime))}
}

// Record is the id of the head's leaf: of one size of a log there is one.
func (h Head) Record() string {
	return strconv.FormatInt(int64(h.No), 36) + "@" + strconv.FormatInt(h.Size, 10)
}

// Hash is the leaf's hash in the company's log.
func (h Head) Hash() tlog.Hash { return tlog.RecordHash([]byte(h.Text)) }
