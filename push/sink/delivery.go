package sink

import "time"

// deliver brings a message to the phone, or keeps it until the phone is back.
// The caller holds mu.
func (s *Sink) deliver(d *device, m delivery, now time.Time) {
	if !d.offline {
		buzz := d.screen.show(m.Received, now)
		s.publish(Event{At: now, Kind: Arrived, Token: d.token, MessageID: m.ID, Buzz: buzz, Message: m.Message})
		return
	}
	d.keep(m, now)
	s.devices.makeRoom()
	s.publish(Event{At: now, Kind: Missed, Token: d.token, MessageID: m.ID})
}

// SetOnline takes a device off the net or brings it back; all are online until
// told otherwise. To one that comes back, what has waited is delivered in an
// order that follows from the seed.
func (s *Sink) SetOnline(token string, online bool) Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices.device(token)
	if d.offline == online {
		s.turn(d, s.now().UTC())
	}
	return d.summary()
}

// turn takes d off the net, or brings it back. The caller holds mu.
func (s *Sink) turn(d *device, now time.Time) {
	d.offline = !d.offline
	if d.offline {
		s.publish(Event{At: now, Kind: Offline, Token: d.token})
		return
	}
	s.publish(Event{At: now, Kind: Online, Token: d.token})
	waited, dropped := d.collect(now)
	if dropped {
		d.screen.showDropped(now)
		s.publish(Event{At: now, Kind: DeletedMessages, Token: d.token})
	}
	for _, m := range waited {
		s.deliver(d, m, now)
	}
}

// Device is what the sink knows of a registration token.
type Device struct {
	Token   string `json:"token"`
	Online  bool   `json:"online"`
	Arrived int    `json:"arrived"` // messages on the phone
	Buzzes  int    `json:"buzzes"`
	Waiting int    `json:"waiting"` // messages kept until it is back
	Dropped bool   `json:"dropped"` // too many waited; it will be told
}

// Devices lists the devices that the sink remembers, the one last heard of
// first.
func (s *Sink) Devices() []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	found := []Device{}
	for d := range s.devices.all() {
		d.expire(now)
		found = append(found, d.summary())
	}
	return found
}

func (d *device) summary() Device {
	return Device{
		Token: d.token, Online: !d.offline, Arrived: d.screen.arrived, Buzzes: d.screen.buzzes,
		Waiting: len(d.waiting), Dropped: d.dropped,
	}
}
