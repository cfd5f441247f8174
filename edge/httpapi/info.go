package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// attributes are what a request asks to be told of a channel, with info.
type attributes uint8

const (
	userCount attributes = 1 << iota
	subscriptionCount
	keptEvent // named cache

	noAttributes attributes = 0
	// counts are what a publish and a list of channels can tell.
	counts = userCount | subscriptionCount
)

var attributeNames = [...]struct {
	name string
	is   attributes
}{{"user_count", userCount}, {"subscription_count", subscriptionCount}, {"cache", keptEvent}}

// parse adds the attributes that a text names, with commas between, to those that were asked for already. Others than
// those that may be asked for here are a mistake that is better told than ignored.
func (a attributes) parse(text string, here attributes) (attributes, error) {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		is := named(name) & here
		if is == 0 {
			return 0, refuse(http.StatusBadRequest, "Invalid info: %s cannot be asked for here, only %s", strconv.Quote(shorten(name)), here)
		}
		a |= is
	}
	return a, nil
}

func named(name string) attributes {
	for _, n := range attributeNames {
		if n.name == name {
			return n.is
		}
	}
	return noAttributes
}

// String lists the names.
func (a attributes) String() string {
	var names []string
	for _, n := range attributeNames {
		if a&n.is != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}

// queryInfo reads info from a query, in any of the forms in which libraries send a list.
func queryInfo(signed *pusher.SignedRequest, here attributes) (attributes, error) {
	text, _ := signed.Param("info")
	asked, err := noAttributes.parse(text, here)
	if err != nil {
		return 0, err
	}
	for text := range signed.Array("info") {
		if asked, err = asked.parse(text, here); err != nil {
			return 0, err
		}
	}
	return asked, nil
}

// mayBeTold refuses a publish that asks for counts under a key that may not ask for them by themselves.
func (q query) mayBeTold() error {
	if !asks(q.work.infos) || q.scopes.Allow(tenants.ScopeQuery) {
		return nil
	}
	return &tenants.ScopeError{Key: q.work.signed.Key(), Have: q.scopes, Want: tenants.ScopeQuery}
}

// applying returns those of the attributes that there are for a channel.
func (a attributes) applying(app *tenants.App, channel string) attributes {
	kind := channels.KindOf(channel)
	if !kind.Members() {
		a &^= userCount
	}
	if kind.Members() || !app.Features.SubscriptionCount || (channels.Topic{Channel: channel}).Internal() {
		a &^= subscriptionCount
	}
	if !kind.Cached() {
		a &^= keptEvent
	}
	return a
}

// append appends the counts among the attributes as members of a JSON object that has none yet.
func (a attributes) append(dst []byte, o channels.Occupancy) []byte {
	if a&userCount != 0 {
		dst = strconv.AppendInt(append(dst, `"user_count":`...), int64(o.Members), 10)
	}
	if a&subscriptionCount != 0 {
		if a&userCount != 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `"subscription_count":`...), int64(o.Subscribers), 10)
	}
	return dst
}

// shorten cuts what a customer sent to what fits into a line that tells of it.
func shorten(text string) string { return pusher.Shorten(text, 40) }
