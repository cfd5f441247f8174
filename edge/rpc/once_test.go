package rpc_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/channels"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
	"github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1/publishv1connect"
)

// caller publishes to an edge, whose channel a it hears.
type caller struct {
	publishv1connect.PublishServiceClient
	t *testing.T
	*listener
}

// call publishes events, one by Publish and several by PublishBatch, and returns whether that had been done before.
func (c *caller) call(keys []string, events ...*publishv1.Event) (replayed string, err error) {
	c.t.Helper()
	ctx, info := connect.NewClientContext(c.t.Context())
	if keys != nil {
		info.RequestHeader()["Idempotency-Key"] = keys
	}
	if len(events) == 1 {
		_, err = c.Publish(ctx, &publishv1.PublishRequest{Event: events[0]})
	} else {
		_, err = c.PublishBatch(ctx, &publishv1.PublishBatchRequest{Events: events})
	}
	return info.ResponseHeader().Get("Idempotent-Replayed"), err
}

// gives expects a call to succeed and these data to be heard.
func (c *caller) gives(replayed string, heard, keys []string, events ...*publishv1.Event) {
	c.t.Helper()
	got, err := c.call(keys, events...)
	if err != nil || got != replayed {
		c.t.Errorf("replayed %q, want %q; %v", got, replayed, err)
	}
	c.wants(heard...)
}

func (c *caller) wants(want ...string) {
	c.t.Helper()
	var data []string
	for _, frame := range c.take() {
		data = append(data, strings.TrimSuffix(strings.TrimPrefix(frame, `{"event":"e","channel":"a","data":"`), `"}`))
	}
	if !slices.Equal(data, want) {
		c.t.Errorf("heard %q, want %q", data, want)
	}
}

func ev(id, data string) *publishv1.Event {
	return &publishv1.Event{Channels: []string{"a"}, Name: "e", Data: data, Id: id}
}

// TestPublishOnce calls again in every protocol, since each carries headers in its own way.
func TestPublishOnce(t *testing.T) {
	t.Parallel()
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2.CloseIdleConnections)
	for name, c := range map[string]struct {
		opts      []connect.ClientOption
		transport http.RoundTripper
	}{
		"protobuf": {},
		"JSON":     {opts: []connect.ClientOption{connect.WithProtoJSON()}},
		"gRPC":     {opts: []connect.ClientOption{connect.WithGRPC()}, transport: h2},
		"gRPC-Web": {opts: []connect.ClientOption{connect.WithGRPCWeb()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			client := e.http.Client()
			if c.transport != nil {
				client = &http.Client{Transport: c.transport}
			}
			caller := &caller{
				publishv1connect.NewPublishServiceClient(client, e.http.URL, append(c.opts, as("key", "secret"))...), t,
				e.listen(channels.Topic{App: "1", Channel: "a"}, nil),
			}
			caller.publishOnce()
		})
	}
}

func (c *caller) publishOnce() {
	c.t.Helper()
	k := []string{"k"}
	c.gives("", []string{"1"}, k, ev("", "1"))
	c.gives("true", nil, k, ev("", "1"))
	c.gives("true", nil, nil, ev("k", "1")) // which says the same of one event
	c.gives("", []string{"1"}, nil, ev("", "1"))

	l := []string{"l"}
	c.gives("", []string{"2", "3"}, l, ev("", "2"), ev("", "3"))
	c.gives("true", nil, l, ev("", "2"), ev("", "3"))

	c.gives("", []string{"4", "5"}, nil, ev("4", "4"), ev("5", "5"))
	c.gives("", []string{"6", "7"}, nil, ev("4", "4"), ev("6", "6"), ev("", "7"))
	c.gives("true", nil, nil, ev("6", "6"), ev("4", "4"))
}

func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	c := &caller{e.client(as("key", "secret")), t, e.listen(channels.Topic{App: "1", Channel: "a"}, nil)}
	c.gives("", []string{"1"}, nil, ev("k", "1"))
	const characters = "it must have from 1 to 128 printable ASCII characters"
	const used = `the key "k" stands for another publish: repeat that one as it was, or send this one under a new key`
	for _, r := range []struct {
		code   connect.Code
		text   string
		keys   []string
		events []*publishv1.Event
	}{
		{connect.CodeInvalidArgument, "Idempotency-Key: " + characters, []string{""}, []*publishv1.Event{ev("", "2")}},
		{connect.CodeInvalidArgument, "Idempotency-Key: " + characters, []string{strings.Repeat("k", 129)}, []*publishv1.Event{ev("", "2"), ev("", "3")}},
		{connect.CodeInvalidArgument, "Idempotency-Key: it must be sent once", []string{"a", "b"}, []*publishv1.Event{ev("", "2")}},
		{connect.CodeInvalidArgument, "Idempotency-Key: an event of this call has an id", []string{"a"}, []*publishv1.Event{ev("", "2"), ev("x", "3")}},
		{connect.CodeInvalidArgument, "event.id: " + characters, nil, []*publishv1.Event{ev("é", "2")}},
		{connect.CodeInvalidArgument, "events[1].id: " + characters, nil, []*publishv1.Event{ev("", "2"), ev("\x00", "3")}},
		{connect.CodeInvalidArgument, "events[1].id: event 0 has the same", nil, []*publishv1.Event{ev("x", "2"), ev("x", "2")}},
		{connect.CodeAlreadyExists, "Idempotency-Key: " + used, []string{"k"}, []*publishv1.Event{ev("", "2")}},
		{connect.CodeAlreadyExists, "Idempotency-Key: " + used, []string{"k"}, []*publishv1.Event{ev("", "1"), ev("", "1")}},
		{connect.CodeAlreadyExists, "event.id: " + used, nil, []*publishv1.Event{ev("k", "2")}},
		{connect.CodeAlreadyExists, "events[1].id: " + used, nil, []*publishv1.Event{ev("", "2"), ev("k", "2")}},
	} {
		if _, err := c.call(r.keys, r.events...); connect.CodeOf(err) != r.code || !strings.Contains(err.Error(), r.text) {
			t.Errorf("%v, want %v: %s", err, r.code, r.text)
		}
		c.wants()
	}
	c.gives("true", nil, nil, ev("k", "1"))
}

func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	e := newEdgeOn(t, channels.MemoryConfig{OnceBytes: 600}) // which is room for one
	c := &caller{e.client(as("key", "secret")), t, e.listen(channels.Topic{App: "1", Channel: "a"}, nil)}
	c.gives("", []string{"1"}, []string{"k"}, ev("", "1"))
	_, err := c.call([]string{"l"}, ev("", "2"))
	var refused *connect.Error
	if !errors.As(err, &refused) || refused.Code() != connect.CodeResourceExhausted || refused.Meta().Get("Retry-After") == "" || !strings.Contains(err.Error(), "publish without one") {
		t.Errorf("%v", err)
	}
	c.wants()
	c.gives("true", nil, []string{"k"}, ev("", "1"))
	c.gives("", []string{"2"}, nil, ev("", "2"))
}
