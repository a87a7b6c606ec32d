package api

import (
	"slices"

	"golang.org/x/text/language"
)

// problemTitle names a code in both languages. Clients act on the code, which
// is never translated.
type problemTitle struct {
	Status int
	Code   string
	EN, ZH string
}

// problemTitles lists the codes that any operation may answer. The first of a
// status also titles what the domain answers with a code of its own.
var problemTitles = []problemTitle{
	{400, "bad_request", "The request could not be read", "无法读取请求"},
	{400, "malformed_json", "The body is not well-formed JSON", "请求体不是合法的 JSON"},
	{400, "invalid_utf8", "The request is not UTF-8", "请求不是有效的 UTF-8 编码"},
	{400, "empty_body", "The body is empty", "请求体为空"},
	{400, "unknown_field", "A field is not known", "包含未知字段"},
	{400, "duplicate_field", "A field occurs twice", "字段重复"},
	{400, "wrong_type", "A field has the wrong JSON type", "字段的 JSON 类型不正确"},
	{401, "unauthorized", "A valid token is needed", "需要有效的令牌"},
	{403, "forbidden", "This caller may not do this", "没有执行此操作的权限"},
	{404, "not_found", "There is no such thing", "未找到"},
	{405, "method_not_allowed", "This method is not allowed here", "此处不支持该请求方法"},
	{409, "conflict", "The present state forbids it", "当前状态不允许此操作"},
	{409, "consent_required", "The consignee has not consented to this", "收件人未同意这样签收"},
	{409, "already_signed", "The parcel is signed for already", "该快件已签收"},
	{409, "not_out", "The parcel is not out for delivery", "该快件尚未派送"},
	{409, "not_signed", "The parcel is not signed for", "该快件尚未签收"},
	{409, "correction_too_late", "It is too late to correct this", "已超过更正期限"},
	{409, "idempotency_key_in_use", "The first request under this key has not ended", "使用该幂等键的首个请求尚未结束"},
	{413, "too_large", "The body is too large", "请求体过大"},
	{415, "unsupported_media_type", "The body must be application/json", "请求体必须是 application/json"},
	{422, "invalid", "A value is not valid", "字段的值无效"},
	{422, "idempotency_key_reused", "The key belongs to another request", "该幂等键已用于另一个请求"},
	{429, "too_many_requests", "That is enough for today", "今天的次数已用完"},
	{500, "internal", "Something went wrong on our side", "服务器内部错误"},
	{503, "unavailable", "Not available now, try again", "服务暂时不可用，请稍后重试"},
}

var languages = []language.Tag{language.English, language.MustParse("zh-CN")} // the first is the default

var languageMatcher = language.NewMatcher(languages)

// languageOf reads an Accept-Language header. Whatever it cannot be read as, or
// nothing, is English.
func languageOf(header string) language.Tag {
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return languages[0]
	}
	_, i, _ := languageMatcher.Match(wanted...)
	return languages[i]
}

// title names the problem of a code, or failing that of its status.
func title(code string, status int, lang language.Tag) string {
	i := slices.IndexFunc(problemTitles, func(t problemTitle) bool { return t.Code == code })
	if i < 0 {
		i = slices.IndexFunc(problemTitles, func(t problemTitle) bool { return t.Status == status })
	}
	switch {
	case i < 0:
		return code
	case lang == languages[1]:
		return problemTitles[i].ZH
	}
	return problemTitles[i].EN
}

// codeOf is the general code of a status.
func codeOf(status int) (string, bool) {
	for _, t := range problemTitles {
		if t.Status == status {
			return t.Code, true
		}
	}
	return "", false
}
