package bustest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// Both is a bus with the presence that belongs to it.
type Both interface {
	channels.Bus
	channels.Presence
}

// RunPresence tests the presences that newBoth makes, each with its bus, as Run does with buses alone.
func RunPresence(t *testing.T, newBoth func(*testing.T, channels.Notices) Both) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *house){
		"OneMemberOnTwoSockets":  oneMemberOnTwoSockets,
		"WhatAMemberSaidFirst":   whatAMemberSaidFirst,
		"FullIsFull":             fullIsFull,
		"FullOfSockets":          fullOfSockets,
		"CountsAndLists":         countsAndLists,
		"LeavesThatWereNoJoins":  leavesThatWereNoJoins,
		"KeepsTheLast":           keepsTheLast,
		"KeepsForATime":          keepsForATime,
		"OccupiedAndVacated":     occupiedAndVacated,
		"ManyComeAndGo":          manyComeAndGo,
		"NothingBetweenTheLines": nothingBetweenTheLines,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHouse(t, newBoth(t, notices())))
		})
	}
}

// grace is short, so that the tests need not wait.
const grace = 300 * time.Millisecond

// notices tells of people in words of one line.
func notices() channels.Notices {
	say := func(what string) func(channels.Topic) (channels.Message, bool) {
		return func(t channels.Topic) (channels.Message, bool) {
			user, ok := t.User()
			return channels.Message{Topic: channels.WatchTopic(t.App, user), Frame: []byte(what)}, ok
		}
	}
	return channels.Notices{
		Added:    func(_ string, m channels.Member) []byte { return []byte("+" + m.ID + " " + m.Info) },
		Removed:  func(_ string, m channels.Member) []byte { return []byte("-" + m.ID) },
		Occupied: say("came"), Vacated: say("went"), Grace: grace,
	}
}

// house is an edge with a presence and a hub. The edge still hears everything; the hub hears what deliver hands it.
type house struct {
	*edge
	Both
	hub *channels.Hub
}

func (h *house) join(topic channels.Topic, socket string, member *channels.Member) channels.Welcome {
	h.t.Helper()
	w, err := h.Join(h.t.Context(), channels.Arrival{Topic: topic, Socket: socket, Member: member, MaxMembers: 100})
	if err != nil {
		h.t.Fatalf("join: %v", err)
	}
	return w
}

func (h *house) leave(topic channels.Topic, socket, member string) int {
	h.t.Helper()
	left, err := h.Leave(h.t.Context(), channels.Departure{Topic: topic, Socket: socket, Member: member})
	if err != nil {
		h.t.Fatalf("leave: %v", err)
	}
	return left
}

func ids(members []channels.Member) []string {
	var list []string
	for _, m := range members {
		list = append(list, m.ID)
	}
	slices.Sort(list)
	return list
}

func (h *house) expect(topic channels.Topic, want ...string) {
	h.t.Helper()
	h.await(topic, len(want))
	h.flush()
	if got := h.await(topic, len(want)); !slices.Equal(got, want) {
		h.t.Errorf("heard %q, want %q", got, want)
	}
}

func oneMemberOnTwoSockets(t *testing.T, h *house) {
	room, ann, bo := topic("presence-a"), &channels.Member{ID: "ann", Info: "1"}, &channels.Member{ID: "bo", Info: "2"}
	h.subscribe(room)
	h.join(room, "1.1", ann)
	h.join(room, "1.2", ann)
	if w := h.join(room, "1.3", bo); !slices.Equal(ids(w.Members), []string{"ann", "bo"}) || w.Subscribers != 3 {
		t.Errorf("welcomed with %+v", w)
	}
	h.leave(room, "1.1", "ann")
	h.leave(room, "1.3", "bo")
	h.leave(room, "1.2", "ann")
	h.expect(room, "+ann 1", "+bo 2", "-bo", "-ann")
	if m, err := h.Members(t.Context(), room); err != nil || len(m) != 0 {
		t.Errorf("left behind: %v, %v", m, err)
	}
}

func whatAMemberSaidFirst(t *testing.T, h *house) {
	room := topic("presence-a")
	h.join(room, "1.1", &channels.Member{ID: "ann", Info: "first"})
	if w := h.join(room, "1.2", &channels.Member{ID: "ann", Info: "second"}); len(w.Members) != 1 || w.Members[0].Info != "first" {
		t.Errorf("welcomed with %+v", w)
	}
	h.leave(room, "1.1", "ann")
	h.leave(room, "1.2", "ann")
	if w := h.join(room, "1.3", &channels.Member{ID: "ann", Info: "third"}); w.Members[0].Info != "third" {
		t.Errorf("after all had left: %+v", w)
	}
}

func fullIsFull(t *testing.T, h *house) {
	room := topic("presence-a")
	come := func(socket, id string) error {
		_, err := h.Join(t.Context(), channels.Arrival{Topic: room, Socket: socket, Member: &channels.Member{ID: id}, MaxMembers: 2})
		return err
	}
	for socket, id := range map[string]string{"1.1": "a", "1.2": "b"} {
		if err := come(socket, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := come("1.3", "c"); !errors.Is(err, channels.ErrFull) {
		t.Errorf("a third: %v", err)
	}
	if err := come("1.4", "a"); err != nil {
		t.Errorf("the first, once more: %v", err)
	}
	h.leave(room, "1.2", "b")
	if err := come("1.3", "c"); err != nil {
		t.Errorf("after one had left: %v", err)
	}
	if o, err := h.Channel(t.Context(), room); err != nil || o.Subscribers != 3 || o.Members != 2 {
		t.Errorf("occupied by %+v, %v", o, err)
	}
}

func fullOfSockets(t *testing.T, h *house) {
	all := channels.SocketsTopic(topic("").App)
	come := func(socket string, most int) error {
		_, err := h.Join(t.Context(), channels.Arrival{Topic: all, Socket: socket, MaxSubscribers: most})
		return err
	}
	if err := errors.Join(come("1.1", 2), come("1.2", 2)); err != nil {
		t.Fatal(err)
	}
	if err := come("1.3", 2); !errors.Is(err, channels.ErrFull) {
		t.Errorf("a third: %v", err)
	}
	if o, err := h.Channel(t.Context(), all); err != nil || o.Subscribers != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	if err := come("1.4", 0); err != nil {
		t.Errorf("where there is no bound: %v", err)
	}
	for _, socket := range []string{"1.1", "1.2", "1.3"} {
		h.leave(all, socket, "")
	}
	if err := come("1.3", 2); err != nil {
		t.Errorf("after others had left: %v", err)
	}
	if list, err := h.Channels(t.Context(), all.App, ""); err != nil || len(list) > 0 {
		t.Errorf("channels: %v, %v", list, err)
	}
}

func countsAndLists(t *testing.T, h *house) {
	ctx := t.Context()
	h.join(topic("news"), "1.1", nil)
	if w := h.join(topic("news"), "1.2", nil); w.Subscribers != 2 || w.Members != nil {
		t.Errorf("welcomed with %+v", w)
	}
	h.join(topic("presence-a"), "1.1", &channels.Member{ID: "ann"})
	h.join(channels.UserTopic(topic("").App, "ann"), "1.1", nil)
	h.join(channels.Topic{App: "another", Channel: "news"}, "9.9", nil)
	h.join(topic("gone"), "1.1", nil)
	if left := h.leave(topic("gone"), "1.1", ""); left != 0 {
		t.Errorf("%d are left", left)
	}
	list := func(prefix string) string {
		all, err := h.Channels(ctx, topic("").App, prefix)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, o := range all {
			fmt.Fprintf(&b, "%s %d %d;", o.Channel, o.Subscribers, o.Members)
		}
		return b.String()
	}
	if got := list(""); got != "news 2 0;presence-a 1 1;" {
		t.Errorf("channels: %s", got)
	}
	if got := list("presence-"); got != "presence-a 1 1;" {
		t.Errorf("presence channels: %s", got)
	}
	names := []string{"presence-a", "nobody's", "news", "gone", "news"}
	counts, err := h.Occupancies(ctx, topic("").App, names)
	want := []channels.Occupancy{
		{Channel: "presence-a", Subscribers: 1, Members: 1},
		{Channel: "nobody's"},
		{Channel: "news", Subscribers: 2},
		{Channel: "gone"},
		{Channel: "news", Subscribers: 2},
	}
	if err != nil || !slices.Equal(counts, want) {
		t.Errorf("occupied: %+v, %v", counts, err)
	}
	if none, err := h.Occupancies(ctx, topic("").App, nil); err != nil || len(none) != 0 {
		t.Errorf("of no channels: %+v, %v", none, err)
	}
	if o, err := h.Channel(ctx, topic("nobody's")); err != nil || o.Subscribers != 0 {
		t.Errorf("nobody's channel: %+v, %v", o, err)
	}
}

func leavesThatWereNoJoins(_ *testing.T, h *house) {
	room := topic("presence-a")
	h.subscribe(room)
	h.leave(room, "1.1", "ann")
	h.join(room, "1.2", &channels.Member{ID: "bo", Info: "2"})
	h.leave(room, "1.1", "ann")
	h.expect(room, "+bo 2")
}

func keepsTheLast(t *testing.T, h *house) {
	room := topic("cache-a")
	h.publish(channels.Message{Topic: room, Frame: []byte("one"), Keep: time.Minute})
	h.publish(channels.Message{Topic: room, Frame: []byte("two"), Keep: time.Minute, Except: "1.1"})
	h.publish(channels.Message{Topic: room, Frame: []byte("passing")})
	h.publish(channels.Message{Topic: channels.Topic{App: "another", Channel: room.Channel}, Frame: []byte("theirs"), Keep: time.Minute})
	if w := h.join(room, "1.1", nil); string(w.Kept.Frame) != "two" {
		t.Errorf("welcomed with %q", w.Kept.Frame)
	}
	h.leave(room, "1.1", "")
	k, err := h.Kept(t.Context(), room)
	if left := time.Until(k.Expires); err != nil || string(k.Frame) != "two" || left <= 0 || left > time.Minute {
		t.Errorf("kept %q for %v, %v", k.Frame, left, err)
	}
	if k, err := h.Kept(t.Context(), topic("cache-b")); err != nil || k.Frame != nil {
		t.Errorf("kept what was never published: %q, %v", k.Frame, err)
	}
}

func keepsForATime(t *testing.T, h *house) {
	room := topic("cache-a")
	h.publish(channels.Message{Topic: room, Frame: []byte("one"), Keep: 100 * time.Millisecond})
	deadline := time.Now().Add(patience)
	for {
		k, err := h.Kept(t.Context(), room)
		if err != nil {
			t.Fatal(err)
		}
		if k.Frame == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is kept for ever")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if w := h.join(room, "1.1", nil); w.Kept.Frame != nil {
		t.Errorf("welcomed with %q", w.Kept.Frame)
	}
}

func occupiedAndVacated(t *testing.T, h *house) {
	app := topic("").App
	user, watchers := channels.UserTopic(app, "ann"), channels.WatchTopic(app, "ann")
	h.subscribe(watchers)
	h.join(user, "1.1", nil)
	h.join(user, "1.2", nil)
	h.leave(user, "1.1", "")
	h.leave(user, "1.2", "") // from one page to the next
	if o, err := h.Channel(t.Context(), user); err != nil || o.Subscribers != 0 || !o.Vacating {
		t.Errorf("between two pages: %+v, %v", o, err)
	}
	h.join(user, "1.3", nil)
	time.Sleep(2 * grace)
	h.expect(watchers, "came")
	h.leave(user, "1.3", "")
	h.expect(watchers, "came", "went")
	h.join(user, "1.4", nil)
	h.expect(watchers, "came", "went", "came")
}

// observer is a subscriber that keeps what it hears.
type observer struct {
	id    string
	mu    sync.Mutex
	heard []string // guarded by mu
}

func (o *observer) ID() string { return o.id }

func (o *observer) Send(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, string(frame))
}

func (o *observer) Terminate() { o.Send([]byte("terminated")) }

// deliverToHub hands the hub, from now on, what the edge hears.
func (h *house) deliverToHub() { h.edge.also(h.hub.Deliver) }

// enter subscribes by way of the hub, with a greeting of the members' ids and the kept frame.
func (h *house) enter(topic channels.Topic, o *observer, member *channels.Member) *channels.Subscription {
	s, err := h.hub.Subscribe(h.t.Context(), topic, channels.Log{}, o, func() (channels.Greeting, error) {
		w, err := h.Join(h.t.Context(), channels.Arrival{Topic: topic, Socket: o.id, Member: member, MaxMembers: 1000})
		list := strings.Join(ids(w.Members), " ")
		return channels.Greeting{Frames: [][]byte{[]byte(list), w.Kept.Frame}, Offset: w.Offset}, err
	})
	if err != nil {
		h.t.Errorf("enter: %v", err)
	}
	return s
}

// manyComeAndGo has users come and go, each on several sockets and all at a time. Whoever watches, from whatever moment,
// must be able to say at any time who is there: the list it began with, and each notice once.
func manyComeAndGo(t *testing.T, h *house) { comeAndGo(t, h) }

// comeAndGo spreads the sockets over the edges.
func comeAndGo(t *testing.T, edges ...*house) {
	for _, h := range edges {
		h.deliverToHub()
	}
	room := topic("presence-busy")
	var crowd, watchers sync.WaitGroup
	for user := range 8 {
		for tab := range 2 {
			crowd.Go(func() {
				h := edges[tab%len(edges)]
				o := &observer{id: fmt.Sprintf("%d.%d", user, tab)}
				member := &channels.Member{ID: "u" + strconv.Itoa(user)}
				for range 40 {
					s := h.enter(room, o, member)
					if err := h.hub.Unsubscribe(t.Context(), s); err != nil {
						t.Error(err)
					}
					if _, err := h.Leave(t.Context(), channels.Departure{Topic: room, Socket: o.id, Member: member.ID}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	for i := range 6 {
		watchers.Go(func() {
			h := edges[i%len(edges)]
			time.Sleep(time.Duration(i) * 3 * time.Millisecond)
			o := &observer{id: fmt.Sprintf("99.%d", i)}
			h.enter(room, o, &channels.Member{ID: "watcher" + strconv.Itoa(i)})
			crowd.Wait()
			h.settled(room, o)
		})
	}
	watchers.Wait()
}

// settled waits until what an observer heard amounts to who is there.
func (h *house) settled(room channels.Topic, o *observer) {
	deadline := time.Now().Add(patience)
	for {
		members, err := h.Members(h.t.Context(), room)
		if err != nil {
			h.t.Error(err)
			return
		}
		there, problem := replay(o)
		if problem != "" {
			h.t.Errorf("%s heard %s", o.id, problem)
			return
		}
		if slices.Equal(there, ids(members)) {
			return
		}
		if time.Now().After(deadline) {
			h.t.Errorf("%s thinks that %q are there, and %q are", o.id, there, ids(members))
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// replay returns who is there by what an observer heard, or what makes no sense in it.
func replay(o *observer) (there []string, problem string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	set := map[string]bool{}
	for id := range strings.FieldsSeq(o.heard[0]) {
		set[id] = true
	}
	for _, notice := range o.heard[2:] {
		id, _, _ := strings.Cut(notice[1:], " ")
		come := notice[0] == '+'
		if set[id] == come {
			return nil, notice + " for the second time"
		}
		set[id] = come
	}
	for id, is := range set {
		if is {
			there = append(there, id)
		}
	}
	slices.Sort(there)
	return there, ""
}

// nothingBetweenTheLines has subscribers come to a cache channel while it is published to: each gets one message as the
// kept one and then all that follow, none twice and none left out.
func nothingBetweenTheLines(t *testing.T, h *house) { subscribeBetweenMessages(t, h, h) }

func subscribeBetweenMessages(t *testing.T, from, h *house) {
	h.deliverToHub()
	room := topic("cache-busy")
	var publisher, subscribers sync.WaitGroup
	stop := make(chan struct{})
	publisher.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				from.publish(channels.Message{Topic: room, Frame: []byte(strconv.Itoa(i)), Keep: time.Minute})
			}
		}
	})
	for i := range 4 {
		subscribers.Go(func() {
			for round := range 100 {
				o := &observer{id: fmt.Sprintf("%d.%d", i, round)}
				s := h.enter(room, o, nil)
				o.await(t, 5)
				if err := h.hub.Unsubscribe(t.Context(), s); err != nil {
					t.Error(err)
				}
				h.leave(room, o.id, "")
				if problem := o.misCounted(); problem != "" {
					t.Errorf("%s: %s", o.id, problem)
					return
				}
			}
		})
	}
	subscribers.Wait()
	close(stop)
	publisher.Wait()
}

// await waits until the observer has heard n frames.
func (o *observer) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		o.mu.Lock()
		enough := len(o.heard) >= n
		o.mu.Unlock()
		if enough {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s hears nothing any more", o.id)
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// misCounted tells where the numbers that an observer heard do not count up by one, the kept one first.
func (o *observer) misCounted() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, _ := strconv.Atoi(o.heard[1]) // The kept frame is empty where there was none.
	for _, text := range o.heard[2:] {
		n, err := strconv.Atoi(text)
		if err != nil || n != before+1 {
			return fmt.Sprintf("%q after %d", text, before)
		}
		before = n
	}
	return ""
}
