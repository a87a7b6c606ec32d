package telephony

import "time"

// Message is what the receipts of a message come to. Each receipt stands for
// itself: that it was sent does not say that it was delivered.
type Message struct {
	SentAt      time.Time
	DeliveredAt time.Time
	ReadAt      time.Time
	FailedAt    time.Time
}

// FoldMessage makes a message of its receipts, in any order and with any repeats.
func FoldMessage(events []Event) (m Message) {
	for _, e := range events {
		at := map[State]*time.Time{Sent: &m.SentAt, Delivered: &m.DeliveredAt, Read: &m.ReadAt, Failed: &m.FailedAt}[e.State]
		if at != nil {
			*at = earliest(*at, e.At)
		}
	}
	return m
}
