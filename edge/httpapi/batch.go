package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// batchEvents answers POST /apps/{id}/batch_events: several events for one channel each, all or none.
func (s *Server) batchEvents(ctx context.Context, q query) (response, error) {
	root, err := pusher.ParseJSON(q.work.body)
	if err != nil {
		return response{}, err
	}
	if err := q.work.parseBatch(root, &q.app.Limits); err != nil {
		return response{}, err
	}
	if err := q.mayBeTold(); err != nil {
		return response{}, err
	}
	key, err := q.key()
	switch {
	case err != nil:
		return response{}, err
	case key != "":
		return s.batchOnce(ctx, q, key)
	case q.work.named():
		return s.eachOnce(ctx, q)
	}
	if err := s.cfg.Publisher.Publish(ctx, q.app, q.work.events...); err != nil {
		return response{}, batchError(err, len(q.work.events))
	}
	return s.batchCounts(ctx, q), nil
}

// batchError names the event that a batch was refused for, if it was one.
func batchError(err error, events int) error {
	var wrong *publish.EventError
	if errors.As(err, &wrong) && events > 0 {
		return inBatch(wrong.Event, err)
	}
	return err
}

func (w *scratch) parseBatch(root pusher.Value, limits *tenants.Limits) error {
	var batch pusher.Value
	for m := root.Members(); m.Next(); {
		if string(m.Name()) == "batch" {
			batch = m.Value()
		}
	}
	if batch.Kind() != pusher.KindArray {
		return badRequest("Invalid batch: it must be an array of events")
	}
	for items := batch.Items(); items.Next(); {
		if len(w.events) == limits.EventsPerBatch {
			return refuse(http.StatusBadRequest, "Invalid batch: it may have at most %d events", limits.EventsPerBatch)
		}
		if err := w.parseEvent(items.Value(), limits, false); err != nil {
			return inBatch(len(w.events), err)
		}
	}
	return nil
}
