package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

// TestListOfLimits keeps docs/limits.md whole.
func TestListOfLimits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# What limits do

[settings.md](settings.md) lists the limits of an app with their defaults and ranges. A limit that is set below what is in use holds for what
comes next: nobody who is there is sent away for it.

- ` + "`connections`" + ` is counted over all edges, one question for each connect. Those of an edge that died are taken off within 15 s.
  While Redis is away each edge lets in its share.
- ` + "`connections_per_second` and `messages_per_second`" + ` hold over all edges for every second, wherever it begins. Edges lease parts of a
  second from Redis, so limits from 25 on may be exceeded by 4 %. A change of the limit holds within a second. While Redis is away each edge
  admits its share: the limit divided by the number of edges, at least one.
- ` + "`" + `messages_per_day` + "`" + ` counts from one midnight UTC to the next, by the clocks of the edges. Edges lease some of what is left from Redis, so no
  more than the limit is ever admitted; what an edge has leased and not used comes back after a second, and near the end of a day nothing is
  leased ahead. An edge that is killed loses what it had leased, a second's worth of its messages. The count is written to
  PostgreSQL every five seconds, from where it goes on when Redis has lost it. While Redis is away each edge admits its share of what was left, and tells Redis
  of it later; a question that gets no answer may cost what it asked for. What the bus refuses is not counted, nor what is repeated under its key.
- All others hold for one socket, one channel or one request, and need no counting.

That nobody is let in beyond ` + "`connections`" + `, of an app or of a tenant, and that no place is lost when edges die, is shown by ` + "`make quota`" + `: clients
come and go on three edges, edges are killed and started again at random, and what the clients saw is held against the bounds.

## Plans

Operators make plans and give them to tenants ([operations.md](operations.md)). A plan may set any limit but those that are
times. ` + "`" + `connections` + "`" + `, ` + "`" + `connections_per_second` + "`" + `, ` + "`" + `messages_per_second` + "`" + ` and ` + "`" + `messages_per_day` + "`" + ` it sets for **all apps of the tenant
together**; an app may have tighter ones of its own, which hold besides. The others hold for each app: an app for which nothing was set
has the plan's, and one may set what is tighter. What is more than the plan allows is refused when it is set. When a plan becomes
smaller later, apps keep what they have set, and the smaller of the two holds. A tenant without a plan has only the limits of its apps.

A tenant's limits do the same when they are hit as an app's: ` + "`" + `RateLimit` + "`" + ` then names ` + "`" + `account` + "`" + ` where it names ` + "`" + `app` + "`" + ` otherwise. Whoever sets a
limit below what is going on, of an app or by a plan, is told what that means: who is connected stays, and of a day that is used up
nothing more is published before midnight UTC.

## When a limit is hit

| limit | by way of | answer | headers | socket stays | besides |
|---|---|---|---|---|---|
`)
	known := map[string]bool{}
	for _, c := range limits.Consequences() {
		known[c.Limit] = true
		answer := "—"
		switch {
		case c.Carrier == limits.CarrierFrame && c.Code == 0:
			answer = "`pusher:error` without a code"
		case c.Carrier == limits.CarrierFrame, c.Carrier == limits.CarrierSubscription:
			answer = fmt.Sprintf("`%s` %d", c.Carrier, c.Code)
		case c.Carrier != limits.CarrierNone:
			answer = fmt.Sprintf("%s %d", c.Carrier, c.Code)
		}
		headers, stays := "—", "—"
		if c.Headers {
			headers = "`Retry-After`, `RateLimit`, `RateLimit-Policy`"
		}
		if c.Way == limits.WaySocket {
			stays = map[bool]string{true: "yes", false: "no"}[c.Stays]
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", c.Limit, c.Way, answer, headers, stays, c.Does)
	}
	for _, f := range tenants.LimitFields() {
		if !known[f.Name] {
			t.Errorf("nothing is said of what %s does when it is hit", f.Name)
		}
		delete(known, f.Name)
	}
	for name := range known {
		t.Errorf("there is no limit %s", name)
	}
	order := slices.IsSortedFunc(limits.Consequences(), func(a, b limits.Consequence) int { return place(a.Limit) - place(b.Limit) })
	if !order {
		t.Error("the table has another order than the limits")
	}
	checkDoc(t, "limits.md", b.String())
}

func place(limit string) int {
	return slices.IndexFunc(tenants.LimitFields(), func(f tenants.LimitField) bool { return f.Name == limit })
}
