package sink

import "encoding/json"

// readWebPush fills in what the page's service worker would show of a Web Push:
// the same notification that the app shows, under the payload's kind as tag.
func (n *notice) readWebPush(message json.RawMessage) {
	var m struct {
		Headers pushHeaders `json:"headers"`
		Payload *struct {
			Kind     string   `json:"kind"`
			TitleKey string   `json:"title_key"`
			BodyKey  string   `json:"body_key"`
			Args     []string `json:"args"`
			Data     struct {
				Alerts string `json:"alerts"`
				More   string `json:"more"`
			} `json:"data"`
		} `json:"payload"`
	}
	if json.Unmarshal(message, &m) != nil || m.Payload == nil {
		return // not of our app: see notice
	}
	p := m.Payload
	n.Android.Priority = m.Headers.Urgency
	n.Android.Notification = &notification{Tag: p.Kind, TitleLocKey: p.TitleKey, BodyLocKey: p.BodyKey, BodyLocArgs: p.Args}
	n.Data.Alerts, n.Data.More = p.Data.Alerts, p.Data.More
}
