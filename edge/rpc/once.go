package rpc

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
)

// publish publishes events, each of them or all together once where the call says so.
func (s *Server) publish(ctx context.Context, sent ...*publishv1.Event) error {
	events := make([]publish.Event, 0, len(sent))
	for _, e := range sent {
		events = append(events, event(e))
	}
	named := slices.ContainsFunc(sent, func(e *publishv1.Event) bool { return e.GetId() != "" })
	info, _ := connect.CallInfoForHandlerContext(ctx)
	key, err := callKey(info.RequestHeader(), named)
	switch {
	case err != nil:
		return err
	case key == "" && !named:
		return s.cfg.Publisher.Publish(ctx, app(ctx), events...)
	}
	receipts, err := s.cfg.Publisher.PublishOnce(ctx, app(ctx), parcels(key, sent, events)...)
	var used *publish.KeyUsedError
	if key != "" && errors.As(err, &used) {
		return keyUsed(publish.KeyHeader, used)
	}
	if err == nil && !slices.ContainsFunc(receipts, func(r channels.Receipt) bool { return !r.Repeated }) {
		info.ResponseHeader().Set(publish.ReplayedHeader, "true")
	}
	return err
}

// callKey returns what the header says that the whole call is carried out once under, or an empty string.
func callKey(header http.Header, named bool) (string, error) {
	key, err := publish.RequestKey(header)
	switch {
	case err != nil:
		return "", wrongCall(publish.KeyHeader, err.Error())
	case key != "" && named:
		return "", wrongCall(publish.KeyHeader, "an event of this call has an id; send either the header or ids")
	}
	return key, nil
}

// parcels puts all events into one parcel, where there is a key for that, or else each into its own. The answer is the
// HTTP API's for who asks for no counts, since the same may be sent by that door next.
func parcels(key string, sent []*publishv1.Event, events []publish.Event) []publish.Parcel {
	answer := func() []byte { return []byte("{}") }
	if key != "" {
		return []publish.Parcel{{Key: key, Events: events, Answer: answer}}
	}
	list := make([]publish.Parcel, len(events))
	for i := range events {
		list[i] = publish.Parcel{Key: sent[i].GetId(), Events: events[i : i+1], Answer: answer}
	}
	return list
}

func keyUsed(field string, err *publish.KeyUsedError) *connect.Error {
	return connect.NewError(connect.CodeAlreadyExists, errors.New(field+": "+err.Error()))
}
