package httpapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
)

// Publishes that are carried out once, however often they are asked for: under a key for the whole request, in a header,
// or under an id for each event. Their counts are taken before they are published, because a retry must get the same
// answer even when nobody got the first one.

// key returns what the header says that the whole request is published once under, or an empty string.
func (q query) key() (string, error) {
	key, err := publish.RequestKey(q.header)
	switch {
	case err != nil:
		return "", badRequest("Invalid " + publish.KeyHeader + ": " + err.Error())
	case key != "" && q.work.named():
		return "", badRequest("Invalid " + publish.KeyHeader + ": an event of this request has an id; send either the header or ids")
	}
	return key, nil
}

// named tells whether an event has an id.
func (w *scratch) named() bool {
	return slices.ContainsFunc(w.ids, func(id string) bool { return id != "" })
}

func parseID(v pusher.Value) (string, error) {
	switch {
	case !v.Given():
		return "", nil
	case v.Kind() != pusher.KindString:
		return "", badRequest("Invalid id: it must be a string")
	}
	return checkID(v.Text())
}

func checkID(id string) (string, error) {
	if err := publish.CheckKey(id); err != nil {
		return "", badRequest("Invalid id: " + err.Error())
	}
	return id, nil
}

// eventOnce publishes the one event of a request.
func (s *Server) eventOnce(ctx context.Context, q query, key string) (response, error) {
	counts := func() []byte { return []byte(s.eventCounts(ctx, q).body) }
	return s.wholeOnce(ctx, q, publish.Parcel{Key: key, Question: question("event", q.work.infos), Answer: counts})
}

// batchOnce publishes a batch under one key.
func (s *Server) batchOnce(ctx context.Context, q query, key string) (response, error) {
	counts := func() []byte { return []byte(s.batchCounts(ctx, q).body) }
	answer, err := s.wholeOnce(ctx, q, publish.Parcel{Key: key, Question: question("batch", q.work.infos), Answer: counts})
	return answer, batchError(err, len(q.work.events))
}

func (s *Server) wholeOnce(ctx context.Context, q query, p publish.Parcel) (response, error) {
	p.Events = q.work.events
	receipts, err := s.cfg.Publisher.PublishOnce(ctx, q.app, p)
	if err != nil {
		return response{}, err
	}
	return response{body: string(receipts[0].Answer), replayed: receipts[0].Repeated}, nil
}

// eachOnce publishes the events of a batch under an id each, where they have one.
func (s *Server) eachOnce(ctx context.Context, q query) (response, error) {
	known := sync.OnceValue(func() map[string]channels.Occupancy { return s.batchOccupancies(ctx, q) })
	parcels := make([]publish.Parcel, len(q.work.events))
	for i, e := range q.work.events {
		parcels[i] = publish.Parcel{
			Key: q.work.ids[i], Events: q.work.events[i : i+1], Question: question("one of a batch", q.work.infos[i:i+1]),
			Answer: func() []byte { return appendCounts(nil, q.app, e.Channels[0], q.work.infos[i], known()) },
		}
	}
	receipts, err := s.cfg.Publisher.PublishOnce(ctx, q.app, parcels...)
	var used *publish.KeyUsedError
	if errors.As(err, &used) {
		return response{}, inBatch(used.Event, err)
	}
	if err != nil {
		return response{}, batchError(err, len(q.work.events))
	}
	answer := response{body: "{}", replayed: true}
	list := make([]string, len(receipts))
	for i, r := range receipts {
		list[i] = string(r.Answer)
		answer.replayed = answer.replayed && r.Repeated
	}
	if asks(q.work.infos) {
		answer.body = `{"batch":[` + strings.Join(list, ",") + `]}`
	}
	return answer, nil
}

// asks tells whether an event asks for counts.
func asks(infos []attributes) bool {
	return slices.ContainsFunc(infos, func(a attributes) bool { return a != noAttributes })
}

// question tells what a request asks to be answered. Without counts the answer is the same in every shape.
func question(shape string, infos []attributes) string {
	if !asks(infos) {
		return ""
	}
	for _, asked := range infos {
		shape += "; " + asked.String()
	}
	return shape
}
