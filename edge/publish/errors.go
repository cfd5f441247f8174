package publish

import (
	"errors"
	"fmt"

	"github.com/pealhq/peal/tenants"
)

// The ways in which a publish can fail. Each door maps them to its own codes.
var (
	// ErrInvalid says that an event breaks a rule. It comes as an [EventError].
	ErrInvalid = errors.New("invalid event")
	// ErrTooLarge says that an event's data is over the app's limit. It comes as an [EventError].
	ErrTooLarge = errors.New("event too large")
	// ErrUnavailable says that the bus cannot take the events now. Some may have been delivered all the same.
	ErrUnavailable = errors.New("publishing is unavailable")
)

// EventError says which event of a publish was refused and why. Nothing of that publish was sent.
type EventError struct {
	// Event is the event's place in the publish, from 0.
	Event int
	// Field names the part that is wrong: name, channels, data, socket_id or user_id, and "batch" when there are
	// too many events or none.
	Field string
	// Reason tells a person what is wrong. It is shown as it is.
	Reason string
	// Kind is [ErrInvalid] or [ErrTooLarge].
	Kind error
}

func (e *EventError) Error() string {
	return fmt.Sprintf("event %d: %s: %s", e.Event, e.Field, e.Reason)
}

func (e *EventError) Unwrap() error { return e.Kind }

func invalid(field, reason string) error {
	return &EventError{Field: field, Reason: reason, Kind: ErrInvalid}
}

// LimitError says that an app has published more than it may in a second. Nothing of that publish was sent.
type LimitError struct{ tenants.Admission }

func (e *LimitError) Error() string {
	if e.RetryAfter == 0 {
		return fmt.Sprintf("this is more than the %d messages that the app may publish in a second", e.Limit)
	}
	return fmt.Sprintf("the app has published the %d messages that it may in a second", e.Limit)
}
