package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// Event is what is published: one name and one payload for one or more channels.
type Event struct {
	Channels []string
	Name     string
	// Data goes out as it is. By custom it holds JSON, but nobody checks.
	Data string
	// Except is the id of a socket that must not get the event, or empty.
	Except string
}

// Bus is the side of [channels.Bus] that publishing needs.
type Bus interface {
	Publish(ctx context.Context, messages ...channels.Message) error
}

// Config is what a [Publisher] needs.
type Config struct {
	Bus Bus
}

// Publisher checks and publishes events. All methods may be called at the same time.
type Publisher struct {
	bus     Bus
	results *prometheus.CounterVec
	// The results, resolved once so that counting allocates nothing.
	ok, invalid, tooLarge, unavailable prometheus.Counter
	messages                           prometheus.Counter
}

// New returns a publisher.
func New(cfg Config) *Publisher {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peal_publish_total", Help: "Publishes of any number of events, by result.",
	}, []string{"result"})
	return &Publisher{
		bus:         cfg.Bus,
		results:     results,
		ok:          results.WithLabelValues("ok"),
		invalid:     results.WithLabelValues("invalid"),
		tooLarge:    results.WithLabelValues("too_large"),
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
// [EventError] or wraps [ErrUnavailable]. The events and their lists of channels are the caller's again when it
// returns.
func (p *Publisher) Publish(ctx context.Context, app *tenants.App, events ...Event) error {
	messages, err := encode(app, events)
	if err != nil {
		if errors.Is(err, ErrTooLarge) {
			p.tooLarge.Inc()
		} else {
			p.invalid.Inc()
		}
		return err
	}
	if err := p.bus.Publish(ctx, messages...); err != nil {
		p.unavailable.Inc()
		return fmt.Errorf("publish %d messages of app %s: %w: %w", len(messages), app.ID, ErrUnavailable, err)
	}
	p.ok.Inc()
	p.messages.Add(float64(len(messages)))
	return nil
}

// encode checks all events and then turns each into one message for each of its channels.
func encode(app *tenants.App, events []Event) ([]channels.Message, error) {
	if len(events) == 0 || len(events) > app.Limits.EventsPerBatch {
		return nil, invalid("batch", fmt.Sprintf("a batch may have from 1 to %d events", app.Limits.EventsPerBatch))
	}
	n := 0
	for i := range events {
		if err := check(&app.Limits, &events[i]); err != nil {
			return nil, at(i, err)
		}
		n += len(events[i].Channels)
	}
	messages := make([]channels.Message, 0, n)
	for i := range events {
		messages = appendMessages(messages, app.ID, &events[i])
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

func appendMessages(messages []channels.Message, app string, e *Event) []channels.Message {
	if len(e.Channels) == 1 { // as most events have
		return append(messages, channels.Message{
			Topic:  channels.Topic{App: app, Channel: e.Channels[0]},
			Frame:  pusher.EventFrame(e.Name, e.Channels[0], e.Data),
			Except: e.Except,
		})
	}
	encoded := pusher.NewEvent(e.Name, e.Data)
	own := len(messages)
	for _, channel := range e.Channels {
		if named(messages[own:], channel) {
			continue // A channel that is named twice gets the event once.
		}
		messages = append(messages, channels.Message{
			Topic:  channels.Topic{App: app, Channel: channel},
			Frame:  encoded.Frame(channel),
			Except: e.Except,
		})
	}
	return messages
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
