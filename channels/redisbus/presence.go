package redisbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pealhq/peal/channels"
)

var (
	errBarred = errors.New("redis does not take it from this edge's lease")
	errBusy   = errors.New("the socket is there as another member")
)

// Join implements [channels.Presence].
func (b *Bus) Join(ctx context.Context, a channels.Arrival) (channels.Welcome, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	key := joinKey{a.Topic, a.Socket}
	if d, owed := b.joins.owed(key); owed {
		// It was there before and may have been somebody else.
		if err := b.pay(ctx, key, d); err != nil {
			return channels.Welcome{}, unavailable("join", err)
		}
	}
	one := &joined{
		member: a.Member, maxMembers: a.MaxMembers, maxSubscribers: a.MaxSubscribers, log: a.Log, number: b.joins.next(),
	}
	for {
		m, err := b.mandate(ctx, a.Topic.App)
		if err != nil {
			return channels.Welcome{}, unavailable("join", err)
		}
		one.lease = m.lease
		reply, err := b.eval(ctx, b.scripts.join, b.names.app(a.Topic.App), b.joinArgs(key, one, m, false, true)...)
		if err != nil {
			b.joins.owe(key, one.debt(time.Now().Add(b.cfg.life())))
			return channels.Welcome{}, err
		}
		switch status := text(reply, 0); status {
		case "OK":
			b.joins.noted(key, one, &b.tenure)
			return welcome(reply, a.Member != nil), nil
		case "FULL":
			return channels.Welcome{}, channels.ErrFull
		case "BUSY":
			return channels.Welcome{}, unavailable("join", errBusy)
		default:
			if err := b.barred(ctx, m.lease, status); err != nil {
				return channels.Welcome{}, unavailable("join", err)
			}
		}
	}
}

// barred sees to it that the lease is good again, or that another is, and returns an error when the time is up.
func (b *Bus) barred(ctx context.Context, l *lease, status string) error {
	if status == "FENCED" {
		b.tenure.lost(l)
	} else {
		b.tenure.renewNow() // It was too slow, or Redis's clock has changed.
	}
	const pause = 20 * time.Millisecond
	select {
	case <-ctx.Done():
		return errBarred
	case <-time.After(pause):
		return nil
	}
}

// debt returns what is owed when it is not known whether the join was noted.
func (one *joined) debt(due time.Time) debt {
	return debt{lease: one.lease, number: one.number, member: one.member, due: due}
}

func (b *Bus) joinArgs(key joinKey, one *joined, m mandate, quiet, wanted bool) []any {
	var isMember, listed, silent, answer string
	var member channels.Member
	if one.member != nil {
		isMember, member = "1", *one.member
	}
	if !key.topic.Internal() {
		listed = "1"
	}
	if quiet {
		silent = "1"
	}
	if wanted {
		answer = "1"
	}
	added := b.notice(b.cfg.Notices.Added, key, one.member)
	where, what := b.tidings(b.cfg.Notices.Occupied, key.topic)
	args := []any{
		m.lease.id, m.deadline, key.socket, key.topic.Channel, one.number, isMember, member.ID, member.Info, one.maxMembers,
		added, where, what, listed, silent, answer,
	}
	maxSubscribers := one.maxSubscribers
	if !wanted {
		maxSubscribers = 0 // It is noted again, and was there before.
	}
	return append(appendLog(args, one.log), newEpoch(), b.cfg.LogBytes, maxSubscribers)
}

// notice returns the sealed notice of a member, or nothing.
func (b *Bus) notice(frame func(string, channels.Member) []byte, key joinKey, member *channels.Member) []byte {
	if frame == nil || member == nil {
		return nil
	}
	return seal(&channels.Message{Frame: frame(key.topic.Channel, *member), Except: key.socket}, time.Now())
}

// tidings returns where to tell of a topic, and the sealed message; nothing if it is not told of.
func (b *Bus) tidings(of func(channels.Topic) (channels.Message, bool), topic channels.Topic) (where string, what []byte) {
	if of == nil {
		return "", nil
	}
	m, ok := of(topic)
	if !ok || m.Topic.App != topic.App {
		return "", nil
	}
	return m.Topic.Channel, seal(&m, time.Now())
}

// welcome reads what join.lua answers.
func welcome(reply []any, members bool) channels.Welcome {
	const head = 5
	w := channels.Welcome{
		Subscribers: int(number(reply, 1)), Offset: offset(reply, 2),
		Kept: keptMessage(text(reply, 3), number(reply, 4)),
	}
	if !members {
		return w
	}
	w.Members = make([]channels.Member, 0, (len(reply)-head)/2)
	for i := head; i+1 < len(reply); i += 2 {
		w.Members = append(w.Members, channels.Member{ID: text(reply, i), Info: text(reply, i+1)})
	}
	return w
}

func offset(reply []any, i int) uint64 {
	var n uint64
	_, _ = fmt.Sscan(text(reply, i), &n) // It is a number, or there is none.
	return n
}

// Leave implements [channels.Presence]. What fails is done as soon as Redis can be reached again.
func (b *Bus) Leave(ctx context.Context, d channels.Departure) (int, error) {
	key := joinKey{d.Topic, d.Socket}
	one := b.joins.take(key)
	if one == nil || !b.tenure.holds(one.lease) {
		// What another lease had is swept.
		o, err := b.Channel(ctx, d.Topic)
		return o.Subscribers, err
	}
	owed := one.debt(time.Now())
	m, _, ok := b.tenure.now(b.cfg.life())
	if !ok || !b.healthy.Load() {
		// A socket that closes has many to leave, and must not wait for each.
		b.joins.owe(key, owed)
		return 0, unavailable("leave", errNoLease)
	}
	reply, err := b.leave(ctx, m, key, owed)
	if err != nil {
		b.joins.owe(key, owed)
		return 0, err
	}
	return int(number(reply, 1)), nil
}

// leave takes back one subscription.
func (b *Bus) leave(ctx context.Context, m mandate, key joinKey, d debt) ([]any, error) {
	args := append([]any{d.lease.id, m.deadline, b.cfg.LogBytes}, b.leaveArgs(key, d)...)
	reply, err := b.eval(ctx, b.scripts.leave, b.names.app(key.topic.App), args...)
	if err != nil {
		return nil, err
	}
	switch text(reply, 0) {
	case "OK":
		if number(reply, 2) == 1 {
			b.vacancies.expect(key.topic.App, b.cfg.Notices.Grace)
		}
		return reply, nil
	case "FENCED":
		b.tenure.lost(d.lease)
	default:
		b.tenure.renewNow()
	}
	return nil, unavailable("leave", errBarred)
}

func (b *Bus) leaveArgs(key joinKey, d debt) []any {
	grace := int64(-1)
	if where, _ := b.tidings(b.cfg.Notices.Vacated, key.topic); where != "" {
		grace = b.cfg.Notices.Grace.Milliseconds()
	}
	return []any{key.socket, key.topic.Channel, d.number, b.notice(b.cfg.Notices.Removed, key, d.member), grace}
}

// pay takes back what is owed.
func (b *Bus) pay(ctx context.Context, key joinKey, d debt) error {
	m, _, ok := b.tenure.now(b.cfg.life())
	if !ok {
		return errNoLease
	}
	if m.lease == d.lease {
		if _, err := b.leave(ctx, m, key, d); err != nil {
			return err
		}
	}
	if !time.Now().Before(d.due) {
		b.joins.settled(key, d)
	}
	return nil
}
