package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Couriers stand behind phones: they let the page's button acknowledge alerts
// through the real API, as the couriers' app does.
type Couriers struct {
	Tokens map[string]string // a courier's token for the API, by the token of the phone
	Client *http.Client      // with a timeout

	receipts string // address of the API's operation
}

// NewCouriers checks the address of the API, such as http://127.0.0.1:8080.
func NewCouriers(api string, tokens map[string]string, client *http.Client) (*Couriers, error) {
	base, err := url.Parse(api)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an http or https address", api)
	}
	return &Couriers{Tokens: tokens, Client: client, receipts: base.JoinPath("/v1/me/alerts/receipts").String()}, nil
}

// SetCouriers puts couriers behind the phones, or takes them away with nil.
func (s *Sink) SetCouriers(c *Couriers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.couriers = c
}

// hold says whether a courier is behind the phone.
func (c *Couriers) hold(phone string) bool { return c != nil && c.Tokens[phone] != "" }

// receipt is one item of POST /v1/me/alerts/receipts.
type receipt struct {
	AlertID string    `json:"alert_id"`
	Event   string    `json:"event"`
	At      time.Time `json:"at"`
}

// maxAnswer bounds what is read of the API's answer; a push holds fewer alerts
// than would fill it.
const maxAnswer = 1 << 20

// acknowledge tells the API that the courier has read the alerts. The API takes
// a second time as a duplicate.
func (c *Couriers) acknowledge(ctx context.Context, phone string, alertIDs []string, at time.Time) error {
	var in struct {
		Receipts []receipt `json:"receipts"`
	}
	for _, id := range alertIDs {
		in.Receipts = append(in.Receipts, receipt{AlertID: id, Event: "acknowledged", At: at})
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.receipts, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Tokens[phone])
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New("the API answered " + res.Status)
	}
	var out struct {
		Results []struct {
			Status  string `json:"status"`
			Problem struct {
				Code string `json:"code"`
			} `json:"problem"`
		} `json:"results"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&out); err != nil {
		return fmt.Errorf("the API's answer: %w", err)
	}
	if len(out.Results) != len(alertIDs) {
		return fmt.Errorf("the API answered for %d of %d alerts", len(out.Results), len(alertIDs))
	}
	for i, r := range out.Results {
		if r.Status != "accepted" && r.Status != "duplicate" {
			return fmt.Errorf("alert %s: %s %s", alertIDs[i], r.Status, r.Problem.Code)
		}
	}
	return nil
}
