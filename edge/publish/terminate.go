package publish

import (
	"context"
	"fmt"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// Terminate ends all sockets of an app that are signed in as this user, on every edge. That there are none is no
// error. The error is an [EventError] or wraps [ErrUnavailable].
func (p *Publisher) Terminate(ctx context.Context, app *tenants.App, user string) error {
	if err := channels.CheckUserID(user); err != nil {
		return invalid("user_id", err.Error())
	}
	m := channels.Message{Topic: channels.UserTopic(app.ID, user), Terminate: true}
	if err := p.bus.Publish(ctx, m); err != nil {
		p.reject(app, p.unavailable, usage.Unavailable)
		return fmt.Errorf("terminate a user of app %s: %w: %w", app.ID, ErrUnavailable, err)
	}
	return nil
}
