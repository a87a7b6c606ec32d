package sink

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// check reports what is wrong with a value found at path.
type check func(path string, value any) []violation

// sendSchema is the body of messages:send, from the reference of the FCM v1
// API (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).
var sendSchema = object{
	"validate_only": flag,
	"message": object{
		"name":         text,
		"token":        text,
		"topic":        text,
		"condition":    text,
		"data":         textMap,
		"notification": object{"title": text, "body": text, "image": text}.check,
		"android": object{
			"collapse_key":             text,
			"priority":                 oneOf("normal", "high", "NORMAL", "HIGH"),
			"ttl":                      lifetime,
			"restricted_package_name":  text,
			"data":                     textMap,
			"direct_boot_ok":           flag,
			"bandwidth_constrained_ok": flag,
			"restricted_satellite_ok":  flag,
			"notification":             androidNotification.check,
			"fcm_options":              label,
		}.check,
		"apns": object{
			"headers":             textMap,
			"payload":             anyObject,
			"fcm_options":         object{"analytics_label": text, "image": text}.check,
			"live_activity_token": text,
		}.check,
		"webpush": object{
			"headers":      textMap,
			"data":         textMap,
			"notification": anyObject,
			"fcm_options":  object{"link": text, "analytics_label": text}.check,
		}.check,
		"fcm_options": label,
	}.check,
}

var label = object{"analytics_label": text}.check

var androidNotification = object{
	"title": text, "body": text, "icon": text, "color": text, "sound": text, "tag": text,
	"click_action": text, "title_loc_key": text, "title_loc_args": texts, "body_loc_key": text,
	"body_loc_args": texts, "channel_id": text, "image": text, "ticker": text, "sticky": flag,
	"event_time": text, "local_only": flag, "default_sound": flag, "default_vibrate_timings": flag,
	"default_light_settings": flag, "vibrate_timings": texts, "light_settings": anyObject,
	"notification_count": number, "bypass_proxy_notification": flag,
	"notification_priority": oneOf("PRIORITY_UNSPECIFIED", "PRIORITY_MIN", "PRIORITY_LOW",
		"PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX"),
	"visibility": oneOf("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
	"proxy":      oneOf("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
}

// object is a JSON object that has these fields and no other. All are optional.
type object map[string]check

func (o object) check(path string, value any) []violation {
	fields, ok := value.(map[string]any)
	if !ok {
		return mismatch(path, "must be an object")
	}
	var found []violation
	for _, name := range sortedKeys(fields) {
		check, known := o[name]
		if !known {
			found = append(found, violation{
				Field: path, Description: "Unknown name " + strconv.Quote(name) + ": Cannot find field.",
			})
			continue
		}
		found = append(found, check(join(path, name), fields[name])...)
	}
	return found
}

func mismatch(path, description string) []violation {
	return []violation{{Field: path, Description: description}}
}

func text(path string, value any) []violation {
	if _, ok := value.(string); !ok {
		return mismatch(path, "must be a string")
	}
	return nil
}

func flag(path string, value any) []violation {
	if _, ok := value.(bool); !ok {
		return mismatch(path, "must be true or false")
	}
	return nil
}

func number(path string, value any) []violation {
	if _, ok := value.(json.Number); !ok {
		return mismatch(path, "must be a number")
	}
	return nil
}

func texts(path string, value any) []violation {
	list, ok := value.([]any)
	if !ok {
		return mismatch(path, "must be a list of strings")
	}
	var found []violation
	for i, item := range list {
		found = append(found, text(path+"["+strconv.Itoa(i)+"]", item)...)
	}
	return found
}

func textMap(path string, value any) []violation {
	fields, ok := value.(map[string]any)
	if !ok {
		return mismatch(path, "must be an object of strings")
	}
	var found []violation
	for _, name := range sortedKeys(fields) {
		found = append(found, text(join(path, name), fields[name])...)
	}
	return found
}

func anyObject(path string, value any) []violation {
	if _, ok := value.(map[string]any); !ok {
		return mismatch(path, "must be an object")
	}
	return nil
}

func oneOf(words ...string) check {
	return func(path string, value any) []violation {
		word, ok := value.(string)
		if !ok || !slices.Contains(words, word) {
			return mismatch(path, "must be one of "+strings.Join(words, ", "))
		}
		return nil
	}
}

// durationForm is a google.protobuf.Duration in JSON, not negative.
var durationForm = regexp.MustCompile(`^(\d{1,12})(\.\d{1,9})?s$`)

// maxLifetime is four weeks, in seconds.
const maxLifetime = 28 * 24 * 60 * 60

func lifetime(path string, value any) []violation {
	s, _ := value.(string)
	parts := durationForm.FindStringSubmatch(s)
	if parts == nil {
		return mismatch(path, `must be seconds such as "3600s" or "1.5s"`)
	}
	seconds, _ := strconv.ParseInt(parts[1], 10, 64) // at most 12 digits
	fraction := strings.Trim(parts[2], ".0")
	if seconds > maxLifetime || (seconds == maxLifetime && fraction != "") {
		return []violation{{Field: path, Description: "must be at most four weeks", rule: true}}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
