package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/channels"
)

// crowd puts sockets on the channels of the apps 3 and 7.
func crowd(a *api) {
	for _, app := range []string{"3", "7"} {
		a.join(app, "news", "1.1", "")
		a.join(app, "news", "1.2", "")
		a.join(app, "private-encrypted-x", "1.1", "")
		a.join(app, "presence-room", "1.1", "ann")
		a.join(app, "presence-room", "1.2", "ann")
		a.join(app, "presence-room", "1.3", `b"o\b:/é`)
		a.join(app, "presence-hall", "1.1", "12345678901234567890")
		a.join(app, "#server-to-user-ann", "1.1", "")
		a.join(app, "#user-ann", "1.1", "")
	}
	a.join("3", "#sockets", "1.1", "")
	a.join("3", "#sockets", "1.2", "")
	a.join("4", "elsewhere", "1.1", "")
}

func TestQueries(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	crowd(a)
	a.post("/apps/3/events", `{"name":"e","channel":"cache-score","data":"x"}`)
	for name, c := range map[string]struct{ path, params, want string }{
		"all channels":            {"/apps/3/channels", "", `{"channels":{"news":{},"presence-hall":{},"presence-room":{},"private-encrypted-x":{}}}`},
		"presence channels":       {"/apps/3/channels", "filter_by_prefix=presence-", `{"channels":{"presence-hall":{},"presence-room":{}}}`},
		"their users":             {"/apps/3/channels", "filter_by_prefix=presence-&info=user_count", `{"channels":{"presence-hall":{"user_count":1},"presence-room":{"user_count":2}}}`},
		"a longer prefix":         {"/apps/3/channels", "filter_by_prefix=presence-r&info=user_count", `{"channels":{"presence-room":{"user_count":2}}}`},
		"a prefix of no channel":  {"/apps/3/channels", "filter_by_prefix=%23", `{"channels":{}}`},
		"no channel":              {"/apps/3/channels", "filter_by_prefix=cache-", `{"channels":{}}`},
		"an app without channels": {"/apps/8/channels", "", `{"channels":{}}`},
		"an empty info":           {"/apps/3/channels", "info=", `{"channels":{"news":{},"presence-hall":{},"presence-room":{},"private-encrypted-x":{}}}`},
		"subscriptions":           {"/apps/7/channels", "info=subscription_count", `{"channels":{"news":{"subscription_count":2},"presence-hall":{},"presence-room":{},"private-encrypted-x":{"subscription_count":1}}}`},
		"users and subscriptions": {"/apps/7/channels", "filter_by_prefix=presence-r&info=subscription_count,user_count", `{"channels":{"presence-room":{"user_count":2}}}`},
		"info as Ruby sends it":   {"/apps/7/channels", "filter_by_prefix=presence-r&info[]=subscription_count&info[]=user_count", `{"channels":{"presence-room":{"user_count":2}}}`},

		"a channel":               {"/apps/3/channels/news", "", `{"occupied":true}`},
		"an empty channel":        {"/apps/3/channels/nobody", "", `{"occupied":false}`},
		"a channel, escaped":      {"/apps/3/channels/n%65ws", "", `{"occupied":true}`},
		"its users":               {"/apps/3/channels/presence-room", "info=user_count", `{"occupied":true,"user_count":2}`},
		"users of an empty one":   {"/apps/3/channels/presence-x", "info=user_count", `{"occupied":false,"user_count":0}`},
		"its subscriptions":       {"/apps/7/channels/news", "info=subscription_count", `{"occupied":true,"subscription_count":2}`},
		"of an empty one":         {"/apps/7/channels/nobody", "info=subscription_count", `{"occupied":false,"subscription_count":0}`},
		"nothing kept":            {"/apps/3/channels/private-cache-x", "info=cache", `{"occupied":false,"cache":null}`},
		"of another app":          {"/apps/7/channels/cache-score", "info=cache", `{"occupied":false,"cache":null}`},
		"cache and subscriptions": {"/apps/7/channels/cache-x", "info=cache,subscription_count", `{"occupied":false,"subscription_count":0,"cache":null}`},

		"users":                  {"/apps/3/channels/presence-room/users", "", `{"users":[{"id":"ann"},{"id":"b\"o\\b:/é"}]}`},
		"a number as id":         {"/apps/3/channels/presence-hall/users", "", `{"users":[{"id":"12345678901234567890"}]}`},
		"no users":               {"/apps/3/channels/presence-x/users", "", `{"users":[]}`},
		"stats":                  {"/apps/3/channels/news/stats", "", `{"occupied":true,"user_count":0,"connection_count":2}`},
		"stats of a presence":    {"/apps/3/channels/presence-room/stats", "", `{"occupied":true,"user_count":2,"connection_count":3}`},
		"stats of an empty one":  {"/apps/3/channels/nobody/stats", "", `{"occupied":false,"user_count":0,"connection_count":0}`},
		"connections":            {"/apps/3/connections", "", `{"connections":2}`},
		"connections of nobody":  {"/apps/7/connections", "", `{"connections":0}`},
		"an unknown parameter":   {"/apps/3/channels/news", "with_user_info=1", `{"occupied":true}`},
		"names with all of them": {"/apps/3/channels/A_-=@,.;9", "", `{"occupied":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := a.in(t)
			checkAnswer(t, a.get(c.path, c.params), c.want)
			w := a.ask("HEAD", c.path, "", "")
			if w.Code != 200 {
				t.Errorf("HEAD: %d %q", w.Code, w.Body)
			}
		})
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	crowd(a)
	long := strings.Repeat("c", 165)
	for name, c := range map[string]struct{ path, params, text string }{
		"user_count of all":              {"/apps/3/channels", "info=user_count", "user_count may only be requested for presence channels - please supply filter_by_prefix beginning with presence-"},
		"user_count of others":           {"/apps/3/channels", "filter_by_prefix=private-&info=user_count", "user_count may only be requested for presence channels"},
		"user_count of almost":           {"/apps/3/channels", "filter_by_prefix=presence&info=user_count", "user_count may only be requested for presence channels"},
		"unknown info of all":            {"/apps/3/channels", "info=users", `Invalid info: "users" cannot be asked for here, only user_count, subscription_count`},
		"cache of all":                   {"/apps/3/channels", "info=cache", `Invalid info: "cache" cannot be asked for here, only user_count, subscription_count`},
		"a long info":                    {"/apps/3/channels", "info=" + strings.Repeat("x", 4000), `Invalid info: "` + strings.Repeat("x", 40) + "…\" cannot be asked for here"},
		"subscription_count of all, off": {"/apps/3/channels", "info=subscription_count", "subscription_count may only be requested when the app has subscription counting switched on"},
		"subscription_count, off":        {"/apps/3/channels/news", "info=subscription_count", "subscription_count may only be requested when"},
		"of presence, off":               {"/apps/3/channels/presence-room", "info=subscription_count", "subscription_count may only be requested when"},
		"of presence, on":                {"/apps/7/channels/presence-room", "info=user_count,subscription_count", "Cannot retrieve the subscription count of a presence channel"},
		"user_count of a public one":     {"/apps/3/channels/news", "info=user_count", "Cannot retrieve the user count unless the channel is a presence channel"},
		"one of two":                     {"/apps/7/channels/news", "info=subscription_count,user_count", "Cannot retrieve the user count unless"},
		"cache of a public one":          {"/apps/3/channels/cachet", "info=cache", "Cannot retrieve the cache unless the channel is a cache channel"},
		"unknown info":                   {"/apps/3/channels/news", "info=occupied", `Invalid info: "occupied" cannot be asked for here, only user_count, subscription_count, cache`},
		"unknown info, PHP":              {"/apps/3/channels/presence-a", "info[0]=user_count&info[1]=x", `Invalid info: "x"`},
		"users of a public one":          {"/apps/3/channels/news/users", "", "Cannot retrieve the users unless the channel is a presence channel"},
		"a colon":                        {"/apps/3/channels/a:b", "", "Invalid channel: a channel name may hold only"},
		"a colon, escaped":               {"/apps/3/channels/a%3Ab/users", "", "Invalid channel: a channel name may hold only"},
		"a slash":                        {"/apps/3/channels/presence-a%2Fb/users", "", "Invalid channel: a channel name may hold only"},
		"a user's channel":               {"/apps/3/channels/%23server-to-user-ann", "", "Invalid channel: a channel name may hold only"},
		"no UTF-8":                       {"/apps/3/channels/%ff/stats", "", "Invalid channel: a channel name may hold only"},
		"a long name":                    {"/apps/3/channels/" + long, "", "Invalid channel: a channel name may have at most 164 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := a.in(t)
			checkRefusal(t, a.get(c.path, c.params), 400, c.text)
			checkAnswer(t, a.get("/apps/3/channels/news", ""), `{"occupied":true}`)
		})
	}
}

// TestKeptEventAges looks at what a cache channel keeps while time goes by.
func TestKeptEventAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, "")
		a.post("/apps/3/events", `{"name":"data","channel":"cache-score","data":"{\"a\":\"<1> & \u2028\"}"}`)
		checkAnswer(t, a.get("/apps/3/channels/cache-score", "info=cache"), "{\"occupied\":false,\"cache\":{\"data\":\"{\\\"a\\\":\\\"<1> & \u2028\\\"}\",\"ttl\":1800}}")
		a.post("/apps/3/batch_events", `{"batch":[{"name":"e","channel":"presence-cache-p","data":""}]}`)
		checkAnswer(t, a.get("/apps/3/channels/presence-cache-p", "info=+user_count+,+cache,"), `{"occupied":false,"user_count":0,"cache":{"data":"","ttl":1800}}`)
		a.post("/apps/3/events", `{"name":"e","channel":"cache-x","data":"d"}`)
		for _, c := range []struct {
			wait time.Duration
			want string
		}{
			{0, `{"data":"d","ttl":1800}`},
			{time.Second, `{"data":"d","ttl":1799}`},
			{time.Millisecond, `{"data":"d","ttl":1799}`},
			{1798 * time.Second, `{"data":"d","ttl":1}`},
			{time.Second, `null`},
		} {
			time.Sleep(c.wait)
			checkAnswer(t, a.get("/apps/3/channels/cache-x", "info=cache"), `{"occupied":false,"cache":`+c.want+`}`)
		}
	})
}

// TestVacatedChannels asks for channels that somebody has left.
func TestVacatedChannels(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.join("3", "presence-a", "1.1", "ann")
	a.join("3", "presence-a", "1.2", "ann")
	leave := func(socket string) {
		t.Helper()
		if _, err := a.bus.Leave(t.Context(), channels.Departure{Topic: channels.Topic{App: "3", Channel: "presence-a"}, Socket: socket, Member: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	leave("1.1")
	checkAnswer(t, a.get("/apps/3/channels/presence-a/users", ""), `{"users":[{"id":"ann"}]}`)
	leave("1.2")
	checkAnswer(t, a.get("/apps/3/channels/presence-a/users", ""), `{"users":[]}`)
	checkAnswer(t, a.get("/apps/3/channels/presence-a", ""), `{"occupied":false}`)
	checkAnswer(t, a.get("/apps/3/channels", ""), `{"channels":{}}`)
}

// TestPresenceAway asks while nobody can tell who is there.
func TestPresenceAway(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.bus.failPresence(fmt.Errorf("a secret about the inside: %w", channels.ErrUnavailable))
	for _, path := range []string{"channels", "channels/a", "channels/presence-a/users", "channels/a/stats"} {
		checkRefusal(t, a.get("/apps/3/"+path, ""), 503, "Temporarily unavailable, try again")
	}
	a.bus.failPresence(nil)
	checkAnswer(t, a.get("/apps/3/channels", ""), `{"channels":{}}`)
}

// TestManyChannels lists so many that the answer is written in pieces.
func TestManyChannels(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	var want strings.Builder
	for i := range 20_000 {
		name := fmt.Sprintf("presence-%05d", i)
		a.join("3", name, "1.1", "ann")
		fmt.Fprintf(&want, `,%q:{"user_count":1}`, name)
	}
	w := a.get("/apps/3/channels", "filter_by_prefix=presence-&info=user_count")
	if diff := cmp.Diff(`{"channels":{`+want.String()[1:]+`}}`, w.Body.String()); w.Code != 200 || diff != "" {
		t.Errorf("%d, and not as it should be: %.200s", w.Code, diff)
	}
}
