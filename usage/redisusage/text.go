package redisusage

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/usage"
)

// interval is a [usage.Interval] as it is written down. Edges and workers of two versions meet here: a field that one does
// not know is left out, and keeps its meaning for ever.
type interval struct {
	Edge  string    `json:"edge"`
	Seq   uint64    `json:"seq"`
	Start time.Time `json:"start"`
	Apps  []app     `json:"apps,omitempty"`
}

type app struct {
	Tenant       uuid.UUID        `json:"tenant"`
	App          string           `json:"app"`
	Peak         int64            `json:"peak,omitempty"`
	Microseconds int64            `json:"us,omitempty"` // of connections
	MessagesIn   int64            `json:"in,omitempty"`
	MessagesOut  int64            `json:"out,omitempty"`
	BytesIn      int64            `json:"bin,omitempty"`
	BytesOut     int64            `json:"bout,omitempty"`
	APICalls     int64            `json:"api,omitempty"`
	Webhooks     int64            `json:"hooks,omitempty"`
	Rejections   map[string]int64 `json:"no,omitempty"` // by reason
}

func encode(i usage.Interval) (string, error) {
	w := interval{Edge: i.Edge, Seq: i.Seq, Start: i.Start.UTC()}
	for _, a := range i.Apps {
		one := app{
			Tenant: a.Tenant, App: a.App, Peak: a.PeakConnections, Microseconds: a.ConnectionTime.Microseconds(),
			MessagesIn: a.MessagesIn, MessagesOut: a.MessagesOut, BytesIn: a.BytesIn, BytesOut: a.BytesOut,
			APICalls: a.APICalls, Webhooks: a.Webhooks,
		}
		for r, n := range a.Rejections {
			if n == 0 {
				continue
			}
			if one.Rejections == nil {
				one.Rejections = make(map[string]int64)
			}
			one.Rejections[usage.Reasons()[r].String()] = n
		}
		w.Apps = append(w.Apps, one)
	}
	text, err := json.Marshal(w)
	return string(text), err
}

func decode(text string) (usage.Interval, error) {
	var w interval
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return usage.Interval{}, err
	}
	i := usage.Interval{Edge: w.Edge, Seq: w.Seq, Start: w.Start}
	for _, a := range w.Apps {
		one := usage.AppCounts{Tenant: a.Tenant, App: a.App, Counts: usage.Counts{
			PeakConnections: a.Peak, ConnectionTime: time.Duration(a.Microseconds) * time.Microsecond,
			MessagesIn: a.MessagesIn, MessagesOut: a.MessagesOut, BytesIn: a.BytesIn, BytesOut: a.BytesOut,
			APICalls: a.APICalls, Webhooks: a.Webhooks,
		}}
		for name, n := range a.Rejections {
			if r, ok := usage.ParseReason(name); ok {
				one.Rejections[r] = n
			}
		}
		i.Apps = append(i.Apps, one)
	}
	return i, nil
}
