package ledger_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

const (
	logged = 0
	plain  = 1
)

// id is of app 0 and publisher 0.
func id(channel uint16, seq uint32) ledger.ID { return ledger.ID{Channel: channel, Seq: seq} }

func published(outcome ledger.Outcome, ids ...ledger.ID) (list []ledger.Publish) {
	for _, i := range ids {
		at := time.Duration(i.Seq+1) * time.Second
		list = append(list, ledger.Publish{ID: i, Invoked: at, Answered: at + time.Millisecond, Outcome: outcome, Tries: 1})
	}
	return list
}

func listening(client int, channel uint16, ids ...ledger.ID) ledger.Listening {
	l := ledger.Listening{Client: client, Channel: channel}
	for _, i := range ids {
		l.Heard = append(l.Heard, ledger.Heard{ID: i, On: i.Channel, At: time.Duration(i.Seq+1) * time.Second})
	}
	return l
}

func run(publishes []ledger.Publish, listenings ...ledger.Listening) ledger.Run {
	return ledger.Run{
		Publishes: publishes, Listenings: listenings, Ended: time.Minute,
		Logged: func(_, channel uint16) bool { return channel == logged },
	}
}

// three are events 0, 1 and 2 of a channel.
func three(channel uint16) []ledger.ID {
	return []ledger.ID{id(channel, 0), id(channel, 1), id(channel, 2)}
}

// violates fails unless the only invariant that is broken is this one; none is "".
func violates(t *testing.T, r ledger.Run, invariant string) ledger.Report {
	t.Helper()
	report := ledger.Check(r)
	if invariant == "" {
		if len(report.Violations) > 0 {
			t.Errorf("%v", report.Violations)
		}
		return report
	}
	if len(report.Violations) == 0 {
		t.Errorf("nobody complains of %s", invariant)
	}
	for _, v := range report.Violations {
		if v.Invariant != invariant {
			t.Errorf("%v, want only %s", v, invariant)
		}
	}
	return report
}

func TestAGoodRun(t *testing.T) {
	t.Parallel()
	p := slices.Concat(published(ledger.OK, three(logged)...), published(ledger.Unknown, id(logged, 3)), published(ledger.Failed, id(logged, 4)))
	late := listening(2, logged, id(logged, 2))
	late.From = 2500 * time.Millisecond
	ended := listening(3, logged, id(logged, 0), id(logged, 1))
	ended.Until, ended.End = 10*time.Second, "4200"
	report := violates(t, run(p, listening(0, logged, append(three(logged), id(logged, 3))...), listening(1, logged, three(logged)...), late, ended), "")
	if report.Expected != 3+3+1+2 || report.Heard != 10 || report.Sockets != 4 || report.Ended != 1 || report.Outcomes != [3]int{1, 3, 1} {
		t.Errorf("%+v", report)
	}
}

func TestI1AnAcknowledgedEventNeverCame(t *testing.T) {
	t.Parallel()
	p := published(ledger.OK, three(logged)...)
	violates(t, run(p, listening(0, logged, id(logged, 0), id(logged, 2))), "I1")
	violates(t, run(p, listening(0, logged, id(logged, 0), id(logged, 1))), "I1")
	ended := listening(0, logged, id(logged, 0), id(logged, 2))
	ended.Until = time.Minute
	violates(t, run(p, ended), "I1")
}

func TestOnAPlainChannelALossIsCounted(t *testing.T) {
	t.Parallel()
	r := run(published(ledger.OK, three(plain)...), listening(0, plain, id(plain, 0), id(plain, 2)))
	if report := violates(t, r, ""); report.LostPlain != 1 || report.LastLost != 2*time.Second {
		t.Errorf("%+v", report)
	}
}

func TestI5AGapMustBeToldOfWhereItIs(t *testing.T) {
	t.Parallel()
	p := published(ledger.OK, three(logged)...)
	hole := func(gaps ...int) ledger.Run {
		l := listening(0, logged, id(logged, 0), id(logged, 2))
		for _, g := range gaps {
			l.Gaps = append(l.Gaps, ledger.Gap{Before: g})
		}
		return run(p, l)
	}
	if report := violates(t, hole(1), ""); report.LostTold != 1 || report.Gaps != 1 {
		t.Errorf("%+v", report)
	}
	violates(t, hole(0), "I1")
	violates(t, hole(2), "I1")
}

func TestI2NothingComesTwice(t *testing.T) {
	t.Parallel()
	r := run(published(ledger.OK, three(logged)...), listening(0, logged, append(three(logged), id(logged, 1))...))
	violates(t, r, "I2")
}

func TestI3OrderOfAPublisher(t *testing.T) {
	t.Parallel()
	wrong := []ledger.ID{id(plain, 1), id(plain, 0), id(plain, 2)}
	violates(t, run(published(ledger.OK, three(plain)...), listening(0, plain, wrong...)), "I3")
	// Of an unknown one nobody knows when it was done.
	p := append(published(ledger.OK, id(plain, 1), id(plain, 2)), published(ledger.Unknown, id(plain, 0))...)
	violates(t, run(p, listening(0, plain, wrong...)), "")
}

func TestI3OneOrderForAll(t *testing.T) {
	t.Parallel()
	a, b := ledger.ID{Publisher: 1, Channel: plain}, ledger.ID{Publisher: 2, Channel: plain}
	p := published(ledger.OK, a, b)
	violates(t, run(p, listening(0, plain, a, b), listening(1, plain, b, a)), "I3")
	violates(t, run(p, listening(0, plain, a, b), listening(1, plain, a, b)), "")
}

func TestI4WhatWasRefusedIsNeverHeard(t *testing.T) {
	t.Parallel()
	violates(t, run(published(ledger.Failed, id(plain, 0)), listening(0, plain, id(plain, 0))), "I4")
	violates(t, run(nil, listening(0, plain, id(plain, 0))), "I4")
}

func TestI6EverybodyHearsTheirOwn(t *testing.T) {
	t.Parallel()
	other := ledger.ID{App: 1, Channel: plain}
	violates(t, run(published(ledger.OK, other), listening(0, plain, other)), "I6")
	stray := listening(0, plain, id(plain, 0))
	stray.Heard[0].On = ledger.Elsewhere
	violates(t, run(nil, stray), "I6")
	violates(t, run(nil, listening(0, plain, id(logged, 0))), "I6")
}

func TestI7TheRoomComesToRest(t *testing.T) {
	t.Parallel()
	room := func(change func(*ledger.Room)) ledger.Room {
		r := ledger.Room{
			Name: "presence-1", Live: []string{"ann", "bo"}, Steady: []string{"bo"}, Gone: []string{"cy"},
			Listed:    map[string][]string{"edge 0": {"bo", "ann"}, "edge 1": {"ann", "bo"}},
			Observers: []ledger.Observer{{Name: "ann", Believes: []string{"ann", "bo"}, Removed: map[string]int{"cy": 1}}},
		}
		change(&r)
		return r
	}
	if v := ledger.CheckRooms([]ledger.Room{room(func(*ledger.Room) {})}); len(v) > 0 {
		t.Errorf("%v", v)
	}
	for what, change := range map[string]func(*ledger.Room){
		"with cy":               func(r *ledger.Room) { r.Listed["edge 1"] = []string{"ann", "bo", "cy"} },
		"without bo":            func(r *ledger.Room) { r.Listed["edge 0"] = []string{"ann"} },
		"twice":                 func(r *ledger.Room) { r.Listed["edge 0"] = []string{"ann", "bo", "bo"} },
		"told 2 times":          func(r *ledger.Room) { r.Observers[0].Removed["cy"] = 2 },
		"told 0 times":          func(r *ledger.Room) { r.Observers[0].Removed = nil },
		"told that bo left":     func(r *ledger.Room) { r.Observers[0].Removed["bo"] = 1 },
		"what ann was told is ": func(r *ledger.Room) { r.Observers[0].Believes = []string{"ann", "bo", "cy"} },
	} {
		v := ledger.CheckRooms([]ledger.Room{room(change)})
		if len(v) != 1 || v[0].Invariant != "I7" || !strings.Contains(v[0].Text, what) {
			t.Errorf("%s: %v", what, v)
		}
	}
}

func TestMoreOfAKindAreCounted(t *testing.T) {
	t.Parallel()
	var ids []ledger.ID
	for seq := range uint32(20) {
		ids = append(ids, id(logged, seq))
	}
	report := violates(t, run(published(ledger.OK, ids...), listening(0, logged)), "I1")
	if last := report.Violations[len(report.Violations)-1].Text; last != "and 15 more" {
		t.Error(last)
	}
}

func TestIDsAreFoundInFrames(t *testing.T) {
	t.Parallel()
	want := ledger.ID{App: 1, Publisher: 65535, Channel: 3, Seq: 4294967295}
	frame := `{"event":"e","channel":"c","data":"` + string(want.AppendData(nil)) + `"}`
	if got, ok := ledger.FindID([]byte(frame)); !ok || got != want {
		t.Errorf("%v, %v", got, ok)
	}
	for _, other := range []string{"", "#", "##", "#1.2.3#", "#1.2.3.4", "#1.2.3.4.5#", "#a.2.3.4#", `{"event":"pusher:ping","data":{}}`} {
		if got, ok := ledger.FindID([]byte(other)); ok {
			t.Errorf("%q is taken for %v", other, got)
		}
	}
}
