package bench

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func copyTo(w io.Writer, r *http.Request) (int64, error) { return io.Copy(w, r.Body) }

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func contextWithin(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
