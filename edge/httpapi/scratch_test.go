package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequestsShareNothing sends events, batches, and refused requests of both, large and small, from several
// sides at once. What one request leaves in the room that another gets must not be seen.
func TestRequestsShareNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	var sides sync.WaitGroup
	var want []string
	for side := range 8 {
		for i := range 50 {
			data := strings.Repeat(fmt.Sprintf("%d-%d.", side, i), 1+i*20)
			for _, channel := range []string{"one", "two", "first", "second"} {
				want = append(want, `{"event":"e","channel":"`+channel+`","data":"`+data+`"}`)
			}
		}
		sides.Go(func() {
			for i := range 50 {
				data := strings.Repeat(fmt.Sprintf("%d-%d.", side, i), 1+i*20)
				event := `{"name":"e","channel":"first","data":"` + data + `"}`
				for _, c := range []struct {
					path, body string
					status     int
				}{
					{"events", `{"name":"e","channels":["one","two"],"data":"` + data + `"}`, 200},
					{"events", `{"name":"e","channels":["three","four",5],"data":"` + data + `"}`, 400},
					{"batch_events", `{"batch":[` + event + `,` + strings.Replace(event, "first", "second", 1) + `]}`, 200},
					{"batch_events", `{"batch":[` + event + `,{"name":"e"}]}`, 400},
				} {
					if w := a.post("/apps/3/"+c.path, c.body); w.Code != c.status {
						t.Errorf("%s %.80s: %d %q", c.path, c.body, w.Code, w.Body)
					}
				}
			}
		})
	}
	sides.Wait()
	got := a.bus.frames()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}
