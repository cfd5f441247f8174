package tenants

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The bounds of an app's list of rules.
const (
	// MaxChannelRules is how many there may be.
	MaxChannelRules = 50
	// MaxPatternLength bounds the pattern of one: no channel's name is longer.
	MaxPatternLength = 200
	// maxStars bounds what one pattern can cost: every message of the app is held against it, on an edge that others share.
	maxStars = 8
	// MaxLogSize and MaxLogTTL bound what one of them has remembered.
	MaxLogSize = 10_000
	MaxLogTTL  = 24 * time.Hour
)

// ChannelLog is how much of a channel is remembered, so that an edge that was cut off can catch up. The zero ChannelLog
// is nothing.
type ChannelLog struct {
	// Size is how many messages are remembered at most, TTL for how long, in whole seconds.
	Size int
	TTL  time.Duration
}

// NewChannelLog returns a log of so many messages for so many seconds, in the range of a [time.Duration] also where that
// makes no sense, for [CheckChannelRules] to say so.
func NewChannelLog(size, ttlSeconds int) ChannelLog {
	most := int(MaxLogTTL/time.Second) + 1
	return ChannelLog{Size: size, TTL: time.Duration(min(max(ttlSeconds, 0), most)) * time.Second}
}

func (l ChannelLog) String() string { return fmt.Sprintf("log of %d for %v", l.Size, l.TTL) }

// channelLogJSON is a [ChannelLog] in the database and in the audit.
type channelLogJSON struct {
	Size       int `json:"size"`
	TTLSeconds int `json:"ttl_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (l ChannelLog) MarshalJSON() ([]byte, error) {
	return json.Marshal(channelLogJSON{l.Size, int(l.TTL / time.Second)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *ChannelLog) UnmarshalJSON(text []byte) error {
	var j channelLogJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*l = NewChannelLog(j.Size, j.TTLSeconds)
	return nil
}

// ChannelRule says what holds for the channels whose names fit a pattern.
type ChannelRule struct {
	// Pattern is a channel's name, in which a star stands for any run of characters, also for none.
	Pattern string     `json:"pattern"`
	Log     ChannelLog `json:"log"`
}

// ChannelRules are an app's rules. Of those that fit a channel the first one holds, and no other.
type ChannelRules []ChannelRule

// Log returns how much of a channel is remembered. What begins with # is no channel of the app's but one of Peal's own,
// on which a user is spoken to, and has no log whatever the rules say.
func (r ChannelRules) Log(channel string) ChannelLog {
	if len(r) == 0 || strings.HasPrefix(channel, "#") {
		return ChannelLog{}
	}
	for i := range r {
		if fits(r[i].Pattern, channel) {
			return r[i].Log
		}
	}
	return ChannelLog{}
}

// fits tells whether a name is one that a pattern stands for. Each part between two stars is looked for once, from where
// the one before it ended, so that no pattern takes longer than it and the name are together. Nothing is allocated, since
// every message of an app with rules is held against them.
func fits(pattern, name string) bool {
	part, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, part)
	for ok {
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return false
}

// CheckChannelRules returns the rules as they are kept, or the first thing that is wrong with them.
func CheckChannelRules(field string, rules ChannelRules) (ChannelRules, error) {
	if len(rules) > MaxChannelRules {
		return nil, Invalid(field, fmt.Sprintf("may have at most %d rules", MaxChannelRules))
	}
	kept, places := make(ChannelRules, 0, len(rules)), make(map[string]int)
	for i, r := range rules {
		at := fmt.Sprintf("%s[%d]", field, i)
		var err error
		if r.Pattern, err = checkPattern(at+".pattern", r.Pattern); err != nil {
			return nil, err
		}
		if first, twice := places[r.Pattern]; twice {
			return nil, Invalid(at+".pattern", fmt.Sprintf("is also that of rule %d, which comes first and so holds alone", first+1))
		}
		places[r.Pattern] = i
		if err := checkLog(at+".log", r.Log); err != nil {
			return nil, err
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// checkPattern returns a pattern with one star where it had several in a row, which say no more than one.
func checkPattern(field, pattern string) (string, error) {
	pattern = strings.TrimSpace(pattern)
	if pattern == "" {
		return "", Invalid(field, "must not be empty; * alone stands for every channel")
	}
	if len(pattern) > MaxPatternLength {
		return "", Invalid(field, fmt.Sprintf("may have at most %d characters", MaxPatternLength))
	}
	for i := range len(pattern) {
		if c := pattern[i]; c != '*' && !inChannelName(c) {
			return "", Invalid(field, "may hold only what a channel's name may, which is letters, digits and _ - = @ , . ; and * for any run of them")
		}
	}
	for strings.Contains(pattern, "**") {
		pattern = strings.ReplaceAll(pattern, "**", "*")
	}
	if strings.Count(pattern, "*") > maxStars {
		return "", Invalid(field, fmt.Sprintf("may have at most %d stars", maxStars))
	}
	return pattern, nil
}

// inChannelName tells whether a channel's name may hold a character (Pusher protocol, names and types).
func inChannelName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-=@,.;", c) >= 0
}

func checkLog(field string, l ChannelLog) error {
	if l.Size < 1 || l.Size > MaxLogSize {
		return Invalid(field+".size", fmt.Sprintf("must be from 1 to %d", MaxLogSize))
	}
	if l.TTL < time.Second || l.TTL > MaxLogTTL || l.TTL%time.Second != 0 {
		return Invalid(field+".ttl_seconds", fmt.Sprintf("must be from 1 to %d", MaxLogTTL/time.Second))
	}
	return nil
}
