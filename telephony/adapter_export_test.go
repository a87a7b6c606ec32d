package telephony

import "time"

// Records takes a request of the provider's apart and reads it, as at the door.
func Records(p Provider, d Delivery, now time.Time) ([]Record, error) {
	a := adapters[p]
	raw, err := a.split(d)
	if err != nil {
		return nil, err
	}
	list := make([]Record, len(raw))
	for i, r := range raw {
		list[i] = a.record(r, now)
	}
	return list, nil
}

// Verify checks the provider's signature.
func Verify(p Provider, d Delivery, key string) bool { return adapters[p].verify(d, key) }

// Reread reads a record that was kept.
func Reread(p Provider, raw []byte, now time.Time) Record { return adapters[p].record(raw, now) }
