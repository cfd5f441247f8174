package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/usage"
	"github.com/pealhq/peal/usage/pgusage"
)

func TestAlertInWords(t *testing.T) {
	n := pgusage.Notice{
		Alert: usage.Alert{
			App: "7", Limit: "messages_per_day", Threshold: 80, Day: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), Used: 801, Bound: 1000,
		},
		TenantName: "Acme", AppName: "Chat",
	}
	subject, text := alertInWords(n, "https://peal.example.com/apps/7/usage")
	if subject != "Chat has reached 80 % of the limit of messages a day" {
		t.Errorf("subject %q", subject)
	}
	for _, part := range []string{
		"The app Chat of Acme has reached 80 % of the limit of messages a day today, 4 May 2026 (UTC): 801 of 1000.",
		"At the limit publishes are refused until midnight UTC.", "\nhttps://peal.example.com/apps/7/usage\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
	n.Threshold, n.Limit = 100, "connections"
	if subject, _ = alertInWords(n, ""); subject != "Chat has reached the limit of connections at once" {
		t.Errorf("subject %q", subject)
	}
	n.App, n.AppName = "", ""
	if subject, text = alertInWords(n, ""); subject != "Acme has reached the limit of connections at once" || !strings.HasPrefix(text, "All apps of Acme together have reached the limit") {
		t.Errorf("subject %q, text %q", subject, text)
	}
}
