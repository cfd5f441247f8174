package bench

import "time"

// Result is what a run has measured. Its JSON is stable: fields are added, never renamed.
type Result struct {
	Scenario Scenario       `json:"scenario"`
	Settings Settings       `json:"settings"`
	Targets  []TargetResult `json:"targets"`
	Ratios   []Ratio        `json:"ratios"`
}

// Settings are the numbers that were in force.
type Settings struct {
	Subscribers     int     `json:"subscribers"`
	Channels        int     `json:"channels"`
	Sockets         int     `json:"sockets"`
	DataBytes       int     `json:"data_bytes"`
	Window          int     `json:"window"`
	RatePerSecond   float64 `json:"rate_per_second"`
	Publishers      int     `json:"publishers"`
	Batch           int     `json:"batch"`
	Concurrency     int     `json:"concurrency"`
	WarmupSeconds   float64 `json:"warmup_seconds"`
	DurationSeconds float64 `json:"duration_seconds"`
	Rounds          int     `json:"rounds"`
}

// TargetResult is what was measured of one target.
type TargetResult struct {
	Name    string  `json:"name"`
	Address string  `json:"address"`
	Rounds  []Round `json:"rounds"`
	// Medians are over the rounds, by the name of the measure.
	Medians map[string]float64 `json:"medians"`
}

// Round is one measurement. The rates, the latency and what was used are of the measured time; the counts are of
// everything from the first message to the last.
type Round struct {
	Seconds    float64    `json:"seconds"`
	Sockets    int        `json:"sockets"`
	Rates      Rates      `json:"rates"`
	Counts     Counts     `json:"counts"`
	Latency    *Latency   `json:"latency_microseconds,omitempty"`
	Server     *ServerUse `json:"server,omitempty"`
	Generator  Generator  `json:"generator"`
	RefusedFor string     `json:"refused_for,omitempty"`
}

// Rates are by the second.
type Rates struct {
	Deliveries float64 `json:"deliveries,omitempty"`
	Publishes  float64 `json:"publishes,omitempty"`
	Connects   float64 `json:"connects,omitempty"`
	Notices    float64 `json:"notices,omitempty"`
}

// Counts say what became of the messages.
type Counts struct {
	Published  int64 `json:"published"`
	Refused    int64 `json:"refused"`
	Expected   int64 `json:"expected"`
	Delivered  int64 `json:"delivered"`
	Lost       int64 `json:"lost"`
	Duplicates int64 `json:"duplicates"`
	OutOfOrder int64 `json:"out_of_order"`
	Misplaced  int64 `json:"misplaced"`
	Dropped    int64 `json:"dropped_sockets"`
	Notices    int64 `json:"notices"`
}

// Latency is in microseconds: of deliveries from when their message was due, of publishes until their answer, of
// connections until their subscription is confirmed.
type Latency struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p99_9"`
	Max   int64 `json:"max"`
}

// ServerUse is what the server's processes used. Memory is in bytes.
type ServerUse struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	// CPUShare is CPU seconds by the second. A server that is given one core, and is not left idle, but stays well below 1 has
	// had to share the core: then only what is counted in CPU seconds can be believed.
	CPUShare      float64 `json:"cpu_share"`
	SystemSeconds float64 `json:"system_seconds"`
	// CPUPerMillion is CPU seconds for each million of deliveries, of publishes, of connections or of notices.
	CPUPerMillion float64 `json:"cpu_seconds_per_million"`
	RSSBefore     int64   `json:"rss_before"`
	RSSAfter      int64   `json:"rss_after"`
	RSSPeak       int64   `json:"rss_peak"`
	// PerConnection is how much the resident memory grew for each socket.
	PerConnection float64 `json:"bytes_per_connection,omitempty"`
}

// Generator is how hard the generator itself worked. When it is the bottleneck, the round measured it, and not the server.
type Generator struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	// Busy is the part of the time in which its loop had something to do.
	Busy float64 `json:"busy"`
	// LagMicroseconds is how late a message left at most though a connection was free for it.
	LagMicroseconds int64 `json:"lag_microseconds"`
	Bottleneck      bool  `json:"bottleneck"`
}

// tooBusy is the share of the time from which on the generator may be what limits.
const (
	tooBusy = 0.85
	tooLate = 20 * time.Millisecond
	// tooShort is a time in which any loop is busy.
	tooShort = 200 * time.Millisecond
)

func generator(from, to mark, lag time.Duration) Generator {
	wall := to.at - from.at
	g := Generator{CPUSeconds: (to.own - from.own).Seconds(), LagMicroseconds: lag.Microseconds()}
	if wall > 0 {
		g.Busy = 1 - float64(to.waited-from.waited)/float64(wall)
	}
	g.Bottleneck = wall > tooShort && (g.Busy > tooBusy || lag > tooLate)
	return g
}
