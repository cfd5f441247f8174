package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/usage"
)

// Event is what is published: one name and one payload for one or more channels.
type Event struct {
	Channels []string
	Name     string
	// Data goes out as it is. By custom it holds JSON, but nobody checks.
	Data string
	// Except is the id of a socket that must not get the event, or empty.
	Except string
	// Client says that a client publishes and not its server. A cache channel does not keep such an event.
	Client bool
	// Sender is the client's id as a member, on presence channels; empty on others.
	Sender string
}

// Bus is the side of [channels.Bus] that publishing needs.
type Bus interface {
	Publish(ctx context.Context, messages ...channels.Message) error
	PublishOnce(ctx context.Context, app string, parcels ...channels.Parcel) ([]channels.Receipt, error)
}

// Config is what a [Publisher] needs.
type Config struct {
	Bus Bus
	// Limiter is nil where nothing is limited.
	Limiter *limits.Limiter
	// Usage counts for each app; nil is for nobody.
	Usage *usage.Meter
}

// Publisher checks and publishes events. All methods may be called at the same time.
type Publisher struct {
	bus     Bus
	limiter *limits.Limiter
	usage   *usage.Meter
	results *prometheus.CounterVec
	// The results, resolved once so that counting allocates nothing.
	ok, repeated, invalid, tooLarge, keyUsed, limited, unavailable prometheus.Counter
	messages                                                       prometheus.Counter
}

// New returns a publisher.
func New(cfg Config) *Publisher {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peal_publish_total", Help: "Publishes of any number of events, by result.",
	}, []string{"result"})
	return &Publisher{
		bus:         cfg.Bus,
		limiter:     cfg.Limiter,
		usage:       cfg.Usage,
		results:     results,
		ok:          results.WithLabelValues("ok"),
		repeated:    results.WithLabelValues("repeated"),
		invalid:     results.WithLabelValues("invalid"),
		tooLarge:    results.WithLabelValues("too_large"),
		keyUsed:     results.WithLabelValues("key_used"),
		limited:     results.WithLabelValues("limited"),
		unavailable: results.WithLabelValues("unavailable"),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peal_published_messages_total", Help: "Messages handed to the bus, one for each channel of each event.",
		}),
	}
}

// Collectors returns the publisher's metrics.
func (p *Publisher) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.results, p.messages}
}

// Publish publishes all events in their order, or none when one of them breaks a rule. The error is an
// [EventError], a [LimitError], a [QuotaError] or wraps [ErrUnavailable]. The events and their lists of channels are the caller's again when it
// returns.
func (p *Publisher) Publish(ctx context.Context, app *tenants.App, events ...Event) error {
	messages, err := encode(app, events)
	if err != nil {
		return p.refused(app, err)
	}
	if err := p.admit(ctx, app, len(messages), len(events)); err != nil {
		return err
	}
	if err := p.bus.Publish(ctx, messages...); err != nil {
		p.giveBack(app, len(messages))
		p.reject(app, p.unavailable, usage.Unavailable)
		return fmt.Errorf("publish %d messages of app %s: %w: %w", len(messages), app.ID, ErrUnavailable, err)
	}
	p.ok.Inc()
	p.count(app, len(messages))
	return nil
}

// count counts messages that the bus has taken.
func (p *Publisher) count(app *tenants.App, messages int) {
	p.messages.Add(float64(messages))
	p.usage.Tally(app.TenantID, app.ID).Published(messages)
}

// reject counts a publish that was refused. Doors leave that to this road, so that none is counted twice.
func (p *Publisher) reject(app *tenants.App, result prometheus.Counter, why usage.Reason) {
	result.Inc()
	p.usage.Tally(app.TenantID, app.ID).Rejected(why)
}

// refused counts a publish that breaks a rule.
func (p *Publisher) refused(app *tenants.App, err error) error {
	if errors.Is(err, ErrTooLarge) {
		p.reject(app, p.tooLarge, usage.TooLarge)
	} else {
		p.reject(app, p.invalid, usage.Invalid)
	}
	return err
}

// admit asks the limiter whether an app may publish so many messages now, and today.
func (p *Publisher) admit(ctx context.Context, app *tenants.App, messages, events int) error {
	if p.limiter == nil {
		return nil
	}
	if a := p.limiter.Messages(ctx, app, messages); !a.OK {
		over := &LimitError{Admission: a, Together: a.Owner == app.TenantID.String()}
		if a.Never() {
			p.reject(app, p.invalid, usage.Invalid)
			return tooManyEver(over, messages, events)
		}
		p.reject(app, p.limited, usage.MessageRate)
		return over
	}
	// The day last: of what is refused by the second nothing is to be put back.
	var over *limits.QuotaError
	if err := p.limiter.MessagesToday(ctx, app, messages); errors.As(err, &over) {
		p.reject(app, p.limited, usage.MessageQuota)
		return QuotaError{over}
	}
	return nil
}

// giveBack takes messages off the app's day that were not published, or of which nobody knows.
func (p *Publisher) giveBack(app *tenants.App, messages int) {
	if p.limiter != nil {
		p.limiter.GiveBackToday(app, messages)
	}
}

// encode checks all events and then turns each into one message for each of its channels.
func encode(app *tenants.App, events []Event) ([]channels.Message, error) {
	n, err := checkAll(app, events)
	if err != nil {
		return nil, err
	}
	messages := make([]channels.Message, 0, n)
	for i := range events {
		messages = appendMessages(messages, app, &events[i])
	}
	return messages, nil
}

// checkAll returns how many messages the events make at most.
func checkAll(app *tenants.App, events []Event) (messages int, err error) {
	if len(events) == 0 || len(events) > app.Limits.EventsPerBatch {
		return 0, invalid("batch", fmt.Sprintf("a batch may have from 1 to %d events", app.Limits.EventsPerBatch))
	}
	for i := range events {
		if err := check(&app.Limits, &events[i]); err != nil {
			return 0, at(i, err)
		}
		messages += len(events[i].Channels)
	}
	return messages, nil
}

func at(event int, err error) error {
	var wrong *EventError
	if errors.As(err, &wrong) {
		wrong.Event = event
	}
	return err
}

func appendMessages(messages []channels.Message, app *tenants.App, e *Event) []channels.Message {
	if len(e.Channels) == 1 { // as most events have
		frame := pusher.ClientEventFrame(e.Name, e.Channels[0], e.Data, e.Sender)
		return append(messages, message(app, e, e.Channels[0], frame))
	}
	encoded := pusher.NewEvent(e.Name, e.Data)
	own := len(messages)
	for _, channel := range e.Channels {
		if named(messages[own:], channel) {
			continue // A channel that is named twice gets the event once.
		}
		messages = append(messages, message(app, e, channel, encoded.Frame(channel)))
	}
	return messages
}

func message(app *tenants.App, e *Event, channel string, frame []byte) channels.Message {
	m := channels.Message{
		Topic: channels.Topic{App: app.ID, Channel: channel}, Frame: frame, Except: e.Except,
		Log: channels.Log(app.ChannelRules.Log(channel)),
	}
	if !e.Client && channels.KindOf(channel).Cached() {
		m.Keep = app.Limits.CacheTTL
	}
	return m
}

// named compares with each message, which for the hundred channels of a publish is cheaper than a map.
func named(messages []channels.Message, channel string) bool {
	for i := range messages {
		if messages[i].Topic.Channel == channel {
			return true
		}
	}
	return false
}
