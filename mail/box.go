package mail

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// boxSize is how many mails a [Box] keeps.
const boxSize = 100

// Box is the mail of a platform on somebody's own machine: it logs every mail whole, keeps the last hundred, and shows them
// as a page. It is for nobody else, because whoever sees the page can follow the links.
type Box struct {
	logger *slog.Logger

	mu   sync.Mutex
	last []kept // guarded by mu; the newest first
}

type kept struct {
	Message
	At time.Time
}

// NewBox returns an empty box.
func NewBox(logger *slog.Logger) *Box { return &Box{logger: logger} }

// Send implements [Sender].
func (b *Box) Send(ctx context.Context, m Message) error {
	b.logger.InfoContext(ctx, "a mail, shown because no mail server is set", "mail", m, "text", m.Text)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = slices.Insert(b.last, 0, kept{m, time.Now()})
	b.last = b.last[:min(len(b.last), boxSize)]
	return nil
}

// part is a piece of a text: a link where URL is set.
type part struct{ Text, URL string }

// Parts splits the text at its links, each of which stands on a line of its own.
func (k kept) Parts() []part {
	var parts []part
	for line := range strings.Lines(k.Text) {
		p := part{Text: line}
		if word := strings.TrimSpace(line); strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			p.URL = word
		}
		parts = append(parts, p)
	}
	return parts
}

var boxPage = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mail · Peal</title>
<style>
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 24px 16px; max-width: 44rem; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin: 0 0 4px; }
article { border-top: 1px solid #8886; padding: 16px 0; }
p { margin: 0; opacity: .75; } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 12px 0 0; font: inherit; }
</style>
<h1>Mail</h1>
<p>No mail server is set, so mail is shown here: the last {{len .}}, the newest first.</p>
{{range .}}<article>
<h2>{{.Subject}}</h2>
<p>To {{.To}}, <time>{{.At.UTC.Format "2006-01-02 15:04:05 UTC"}}</time></p>
<pre>{{range .Parts}}{{if .URL}}<a href="{{.URL}}">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre>
</article>
{{else}}<article>There is none yet. Invite somebody, or ask for another password.</article>
{{end}}`))

// ServeHTTP shows what is kept.
func (b *Box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	last := slices.Clone(b.last)
	b.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if err := boxPage.Execute(w, last); err != nil {
		b.logger.DebugContext(r.Context(), "the page of mail was not read to its end", "err", err)
	}
}
