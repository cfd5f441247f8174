package rpc_test

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/channels"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
	"github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1/publishv1connect"
	"github.com/pealhq/peal/tenants"
)

// TestScopes calls every method of the schema under keys of every set of scopes.
func TestScopes(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	heard := e.listen(channels.Topic{App: "1", Channel: "a"}, nil)
	wants := map[string]tenants.KeyScopes{
		"Publish": tenants.ScopePublish, "PublishBatch": tenants.ScopePublish, "TerminateUser": tenants.ScopePublish,
		"ListChannels": tenants.ScopeQuery, "GetChannel": tenants.ScopeQuery, "ListMembers": tenants.ScopeQuery,
	}
	event := &publishv1.Event{Channels: []string{"a"}, Name: "e"}
	calls := map[string]func(publishv1connect.PublishServiceClient) error{
		"Publish": func(c publishv1connect.PublishServiceClient) error {
			return try(c.Publish(t.Context(), &publishv1.PublishRequest{Event: event}))
		},
		"PublishBatch": func(c publishv1connect.PublishServiceClient) error {
			return try(c.PublishBatch(t.Context(), &publishv1.PublishBatchRequest{Events: []*publishv1.Event{event}}))
		},
		"TerminateUser": func(c publishv1connect.PublishServiceClient) error {
			return try(c.TerminateUser(t.Context(), &publishv1.TerminateUserRequest{UserId: "ann"}))
		},
		"ListChannels": func(c publishv1connect.PublishServiceClient) error {
			return try(c.ListChannels(t.Context(), &publishv1.ListChannelsRequest{}))
		},
		"GetChannel": func(c publishv1connect.PublishServiceClient) error {
			return try(c.GetChannel(t.Context(), &publishv1.GetChannelRequest{Channel: "a"}))
		},
		"ListMembers": func(c publishv1connect.PublishServiceClient) error {
			return try(c.ListMembers(t.Context(), &publishv1.ListMembersRequest{Channel: "presence-a"}))
		},
	}
	methods := publishv1.File_peal_publish_v1_publish_proto.Services().ByName("PublishService").Methods()
	for i := range methods.Len() {
		name := string(methods.Get(i).Name())
		if calls[name] == nil {
			t.Errorf("this test does not call %s", name)
			continue
		}
		for set := range tenants.KeyScopes(8) {
			key := "scoped" + strings.ReplaceAll(set.String(), ", ", "-")
			err := calls[name](e.client(as(key, "secret")))
			switch {
			case set.Allow(wants[name]) && err != nil:
				t.Errorf("%s with a key for %q: %v", name, set, err)
			case !set.Allow(wants[name]) && (connect.CodeOf(err) != connect.CodePermissionDenied || !strings.Contains(err.Error(), "needs "+wants[name].String())):
				t.Errorf("%s with a key for %q: %v", name, set, err)
			}
		}
	}
	if got := len(heard.take()); got != 2*4 { // two methods that publish, four of the eight sets
		t.Errorf("heard %d events", got)
	}
}

// TestNoPageReadsTheAPI: the RPC is for servers, and says nothing that lets a page of any origin read an answer.
func TestNoPageReadsTheAPI(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for _, method := range []string{"OPTIONS", "POST"} {
		req, err := http.NewRequestWithContext(t.Context(), method, e.http.URL+publishv1connect.PublishServiceListChannelsProcedure, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://page.example")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Access-Control-Request-Method", "POST")
		req.SetBasicAuth("key", "secret")
		resp, err := e.http.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for header := range resp.Header {
			if strings.HasPrefix(header, "Access-Control-") {
				t.Errorf("%s: a browser would be let in by %s", method, header)
			}
		}
		if method == "POST" && resp.StatusCode != http.StatusOK {
			t.Errorf("a server that sends an origin: %s", resp.Status)
		}
	}
}
