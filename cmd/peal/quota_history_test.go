package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// stay is what a client knows of having been let in: when it asked, when it had the answer, and when it began to leave or its edge was
// killed. Between the last two it is certainly in; the edge may count it for longer, before and after.
type stay struct {
	asked, answered, left time.Duration
}

// mostAtOnce returns how many were certainly in at once at most, and when.
//
// That is all there is to know of whether a count that never exceeds its limit could have let them in: an admission can take effect as late
// as at its answer and a departure as early as it begins, and if that is too many at a moment then so is every other order that
// agrees with the clock. TestTheCheckerOfQuotas holds it against porcupine.
func mostAtOnce(stays []stay) (most int, at time.Duration) {
	type change struct {
		at time.Duration
		by int
	}
	var changes []change
	for _, s := range stays {
		if s.left > s.answered {
			changes = append(changes, change{s.answered, 1}, change{s.left, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.by - b.by // Who leaves makes room for who comes in the same moment.
	})
	now := 0
	for _, c := range changes {
		if now += c.by; now > most {
			most, at = now, c.at
		}
	}
	return most, at
}

// heldTo returns what is wrong with what clients saw of a bound, nil if nothing is.
func heldTo(limit int, stays []stay) error {
	if most, at := mostAtOnce(stays); most > limit {
		return fmt.Errorf("%d were in at once %v after the beginning, and there may be %d", most, at, limit)
	}
	return nil
}

// places is a bound as porcupine understands it: the state is how many are in, the input is 1 for who comes and -1 for who leaves.
func places(limit int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			n := state.(int) + input.(int)
			return n <= limit, n
		},
	}
}

func operations(stays []stay) (list []porcupine.Operation) {
	for client, s := range stays {
		list = append(list,
			porcupine.Operation{ClientId: client, Input: 1, Call: int64(s.asked), Return: int64(s.answered)},
			porcupine.Operation{ClientId: client, Input: -1, Call: int64(s.left), Return: int64(s.left) + 1})
	}
	return list
}

// TestTheCheckerOfQuotas: it accepts what a correct platform may do, rejects one admission too many, and says of any history what
// a checker of linearizability says.
func TestTheCheckerOfQuotas(t *testing.T) {
	t.Parallel()
	good := []stay{{0, 10, 50}, {5, 20, 30}, {8, 31, 60}, {40, 51, 90}}
	if err := heldTo(2, good); err != nil {
		t.Errorf("what is right: %v", err)
	}
	if err := heldTo(2, append(slices.Clone(good), stay{20, 55, 58})); err == nil {
		t.Error("one too many is accepted")
	}
	if err := heldTo(2, append(slices.Clone(good), stay{20, 58, 55})); err != nil {
		t.Errorf("an answer that came from an edge that was dead: %v", err)
	}
	seen := map[bool]int{}
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 7))
		// No two moments are the same, for in which order those happened is nobody's to say.
		moments := random.Perm(60)
		var stays []stay
		for i := range 9 {
			m := moments[3*i : 3*i+3]
			slices.Sort(m)
			stays = append(stays, stay{time.Duration(4 * m[0]), time.Duration(4 * m[1]), time.Duration(4 * m[2])})
		}
		limit := 2 + random.IntN(4)
		err := heldTo(limit, stays)
		if says := porcupine.CheckOperations(places(limit), operations(stays)); says != (err == nil) {
			t.Fatalf("history %d with limit %d: porcupine says %v, and we %v\n%v", seed, limit, says, err, stays)
		}
		seen[err == nil]++
	}
	if seen[true] < 50 || seen[false] < 50 {
		t.Errorf("of the histories %d were right and %d wrong, which tries too little of one", seen[true], seen[false])
	}
}
