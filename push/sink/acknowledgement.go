package sink

import (
	"net/http"
	"time"
)

// acknowledge is POST /_sink/devices/{token}/acknowledgements with the id of a
// message whose banner is on the phone: the courier has read its alerts.
func (s *Sink) acknowledge(w http.ResponseWriter, r *http.Request) {
	var in struct {
		MessageID string `json:"message_id"`
	}
	if !read(w, r, &in) {
		return
	}
	token := r.PathValue("token")
	couriers, alertIDs, now := s.readBanner(token, in.MessageID)
	switch {
	case !couriers.hold(token):
		fail(w, http.StatusConflict, "no courier is behind this phone")
	case len(alertIDs) == 0:
		fail(w, http.StatusNotFound, "no banner of that message with alerts is on this phone, or it is offline")
	default:
		if err := couriers.acknowledge(r.Context(), token, alertIDs, now); err != nil {
			fail(w, http.StatusBadGateway, err.Error())
			return
		}
		s.markAcknowledged(token, in.MessageID)
		w.WriteHeader(http.StatusNoContent)
	}
}

// readBanner finds the alerts that the courier can read on the phone; none on
// one that is offline, for the answer would not get out.
func (s *Sink) readBanner(token, messageID string) (*Couriers, []string, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC()
	d := s.devices.known(token)
	if d == nil || d.offline {
		return s.couriers, nil, now
	}
	b := d.screen.banner(messageID)
	if b == nil {
		return s.couriers, nil, now
	}
	return s.couriers, b.notice.alertIDs(), now
}

// markAcknowledged marks the banner, unless another has replaced it meanwhile.
func (s *Sink) markAcknowledged(token, messageID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices.known(token)
	if d == nil {
		return
	}
	if b := d.screen.banner(messageID); b != nil {
		b.acknowledged = true
	}
	s.publish(Event{At: s.now().UTC(), Kind: Acknowledged, Token: token, MessageID: messageID})
}
