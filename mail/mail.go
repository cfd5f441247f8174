// Package mail sends mail to people: over SMTP, or, where no server is set, to the log. It knows nothing of tenants or of what
// a mail is about.
//
// Start with [Message] and [Sender]. A mail is not sent where it is thought of: it waits in an outbox, written with the change
// that it tells of (mail/pgoutbox), and a [Worker] sends it from there, again and again until it is gone.
package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Message is a mail to one person, in plain text.
type Message struct {
	// ID stays the same however often the mail is tried, so that one that arrives twice can be known as one.
	ID      string
	To      string
	Subject string
	// Text may hold a link that is as good as a password. Nothing here logs it, but for [Box].
	Text string
	// Until is when the mail is no longer worth sending; zero is a day from when it was written.
	Until time.Time
}

// LogValue keeps the text out of logs.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("to", m.To), slog.String("subject", m.Subject))
}

// Sender sends a mail, or says why it could not.
type Sender interface {
	// Send returns [ErrRefused] for a mail that is not worth another try.
	Send(ctx context.Context, m Message) error
}

// ErrRefused says that the mail server will not have this mail, now or later: there is no such mailbox, for example.
var ErrRefused = errors.New("refused for good")

// Nowhere is the sender of a platform that has no mail server: it logs that a mail was not sent, without what is in it.
type Nowhere struct{ Logger *slog.Logger }

// Send implements [Sender].
func (n Nowhere) Send(ctx context.Context, m Message) error {
	n.Logger.WarnContext(ctx, "a mail was not sent, because no mail server is set", "mail", m)
	return nil
}
