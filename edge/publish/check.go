package publish

import (
	"fmt"
	"unicode/utf8"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// check tells whether an app with these limits may publish this event (Pusher protocol, limits).
func check(limits *tenants.Limits, e *Event) error {
	if err := checkName(limits, e.Name); err != nil {
		return err
	}
	if err := checkChannels(limits, e.Channels); err != nil {
		return err
	}
	if e.Except != "" && !pusher.ValidSocketID(e.Except) {
		return invalid("socket_id", "a socket id is two runs of digits with a dot between them")
	}
	return checkData(limits, e.Data)
}

func checkName(limits *tenants.Limits, name string) error {
	switch {
	case name == "":
		return invalid("name", "an event name must not be empty")
	case !utf8.ValidString(name):
		return invalid("name", "an event name must be valid UTF-8")
	case len(name) > limits.EventNameLength && utf8.RuneCountInString(name) > limits.EventNameLength:
		return invalid("name", fmt.Sprintf("an event name may have at most %d characters", limits.EventNameLength))
	case pusher.ReservedEvent(name):
		return invalid("name", "event names that begin with pusher: or pusher_internal: are reserved")
	}
	return nil
}

func checkChannels(limits *tenants.Limits, names []string) error {
	if len(names) == 0 {
		return invalid("channels", "an event needs a channel")
	}
	if len(names) > limits.ChannelsPerPublish {
		return invalid("channels", fmt.Sprintf("an event may go to at most %d channels", limits.ChannelsPerPublish))
	}
	for _, name := range names {
		if user, ok := channels.ServerToUser(name); ok {
			if err := channels.CheckUserID(user); err != nil {
				return invalid("channels", err.Error())
			}
			continue
		}
		if err := channels.CheckName(name, limits.ChannelNameLength); err != nil {
			return invalid("channels", err.Error())
		}
		// The payload of an encrypted channel is sealed with that channel's own key.
		if len(names) > 1 && channels.KindOf(name).Encrypted() {
			return invalid("channels", "an event for an encrypted channel must go to that channel alone")
		}
	}
	return nil
}

// checkData measures the data before it is put into JSON, because that is what customers can count.
func checkData(limits *tenants.Limits, data string) error {
	if len(data) > limits.PayloadBytes {
		return &EventError{
			Field:  "data",
			Reason: fmt.Sprintf("The data content of this event exceeds the allowed maximum (%d bytes)", limits.PayloadBytes),
			Kind:   ErrTooLarge,
		}
	}
	if !utf8.ValidString(data) {
		return invalid("data", "the data must be valid UTF-8")
	}
	return nil
}
