package sink

import "net/http"

// Google's type names in error details.
const (
	fcmErrorType   = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
	badRequestType = "type.googleapis.com/google.rpc.BadRequest"
)

// statusNames are the canonical codes of google.rpc.Code by HTTP status.
var statusNames = map[int]string{
	http.StatusBadRequest:            "INVALID_ARGUMENT",
	http.StatusUnauthorized:          "UNAUTHENTICATED",
	http.StatusForbidden:             "PERMISSION_DENIED",
	http.StatusNotFound:              "NOT_FOUND",
	http.StatusConflict:              "ABORTED",
	http.StatusRequestEntityTooLarge: "INVALID_ARGUMENT",
	http.StatusTooManyRequests:       "RESOURCE_EXHAUSTED",
	http.StatusInternalServerError:   "INTERNAL",
	http.StatusBadGateway:            "UNAVAILABLE",
	http.StatusServiceUnavailable:    "UNAVAILABLE",
}

type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details,omitempty"`
}

type fcmError struct {
	Type      string `json:"@type"`
	ErrorCode string `json:"errorCode"`
}

type badRequest struct {
	Type            string      `json:"@type"`
	FieldViolations []violation `json:"fieldViolations"`
}

// violation is one fault of a request.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
	rule        bool   // breaks a rule of FCM's; else the JSON does not fit the schema
}

// fail answers without a code of FCM's, as a wrong path or project does.
func fail(w http.ResponseWriter, status int, message string, details ...any) {
	answer(w, status, map[string]refusal{"error": {
		Code: status, Message: message, Status: statusNames[status], Details: details,
	}})
}

// failFCM answers with FCM's own error code.
func failFCM(w http.ResponseWriter, status int, code string) {
	fail(w, status, "The sink was told to answer "+code+".", fcmError{Type: fcmErrorType, ErrorCode: code})
}

// refuse answers a request that FCM would not take, naming every fault.
func refuse(w http.ResponseWriter, violations []violation) {
	details := []any{badRequest{Type: badRequestType, FieldViolations: violations}}
	if violations[0].rule {
		details = append(details, fcmError{Type: fcmErrorType, ErrorCode: "INVALID_ARGUMENT"})
	}
	fail(w, http.StatusBadRequest, violations[0].Field+": "+violations[0].Description, details...)
}
