package evidence

import "fmt"

// Truth is what is known of a statement. The zero value is Unknown: what nobody
// looked into is never taken for false.
type Truth int8

// The three truths.
const (
	Unknown Truth = iota
	False
	True
)

// Known turns what is certain into a Truth.
func Known(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not turns true and false about; what is unknown stays so.
func (t Truth) Not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// And is true if both are, and false if either is (Kleene's strong logic).
func (t Truth) And(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == True && u == True:
		return True
	}
	return Unknown
}

// Or is true if either is, and false if both are.
func (t Truth) Or(u Truth) Truth { return t.Not().And(u.Not()).Not() }

var truthNames = [...]string{Unknown: "unknown", False: "false", True: "true"}

func (t Truth) String() string { return truthNames[t] }

// MarshalText writes "true", "false" or "unknown".
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *Truth) UnmarshalText(text []byte) error {
	for i, name := range truthNames {
		if name == string(text) {
			*t = Truth(i)
			return nil
		}
	}
	return fmt.Errorf("%.20q is no truth", text)
}
