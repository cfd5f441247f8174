package redisbus

import (
	"context"
	"time"

	"github.com/pealhq/peal/channels"
)

// Channel implements [channels.Presence].
func (b *Bus) Channel(ctx context.Context, topic channels.Topic) (channels.Occupancy, error) {
	list, err := b.Occupancies(ctx, topic.App, []string{topic.Channel})
	if err != nil {
		return channels.Occupancy{}, err
	}
	return list[0], nil
}

// Occupancies implements [channels.Presence].
func (b *Bus) Occupancies(ctx context.Context, app string, names []string) ([]channels.Occupancy, error) {
	const fields = 3
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	reply, err := b.ask(ctx, b.scripts.occupied, app, args...)
	if err != nil {
		return nil, err
	}
	list := make([]channels.Occupancy, len(names))
	for i, name := range names {
		at := i * fields
		list[i] = channels.Occupancy{
			Channel: name, Subscribers: int(number(reply, at)), Members: int(number(reply, at+1)), Vacating: number(reply, at+2) == 1,
		}
	}
	return list, nil
}

// ask runs a script that changes nothing.
func (b *Bus) ask(ctx context.Context, s *script, app string, args ...any) ([]any, error) {
	if !b.running.Load() {
		return nil, unavailable(s.name, errNotRunning)
	}
	return b.eval(ctx, s, b.names.app(app), args...)
}

// channelsPage is how many channels one script lists, so that others are served in between. Each page is true of one
// moment; a channel that comes or goes meanwhile may be on the list or not.
const channelsPage = 1000

// Channels implements [channels.Presence].
func (b *Bus) Channels(ctx context.Context, app, prefix string) ([]channels.Occupancy, error) {
	const fields = 3
	var list []channels.Occupancy
	after := ""
	for {
		page, err := b.ask(ctx, b.scripts.channels, app, prefix, after, channelsPage)
		if err != nil {
			return nil, err
		}
		for i := 0; i+fields <= len(page); i += fields {
			list = append(list, channels.Occupancy{
				Channel: text(page, i), Subscribers: int(number(page, i+1)), Members: int(number(page, i+2)),
			})
		}
		if len(page) < fields*channelsPage {
			return list, nil
		}
		after = list[len(list)-1].Channel
	}
}

// Members implements [channels.Presence].
func (b *Bus) Members(ctx context.Context, topic channels.Topic) ([]channels.Member, error) {
	if !b.running.Load() {
		return nil, unavailable("members", errNotRunning)
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	began := time.Now()
	var members map[string]string
	err := b.untilTaken(ctx, func() error {
		var err error
		members, err = b.client.HGetAll(ctx, b.names.app(topic.App)+"m:"+topic.Channel).Result()
		return err
	})
	b.metrics.call("members", began, err)
	if err != nil {
		return nil, unavailable("members", err)
	}
	list := make([]channels.Member, 0, len(members))
	for id, info := range members {
		list = append(list, channels.Member{ID: id, Info: info})
	}
	return list, nil
}

// Kept implements [channels.Presence].
func (b *Bus) Kept(ctx context.Context, topic channels.Topic) (channels.Kept, error) {
	reply, err := b.ask(ctx, b.scripts.kept, topic.App, topic.Channel)
	if err != nil {
		return channels.Kept{}, err
	}
	return keptMessage(text(reply, 0), number(reply, 1)), nil
}

// keptMessage opens what was kept. What another version kept and we cannot read is none.
func keptMessage(envelope string, left int64) channels.Kept {
	if left <= 0 {
		return channels.Kept{}
	}
	letter, err := open(envelope)
	if err != nil {
		return channels.Kept{}
	}
	return channels.Kept{Frame: letter.Frame, Expires: time.Now().Add(time.Duration(left) * time.Millisecond)}
}
