package api

import (
	"context"
	"slices"

	"doorstep/prefs"
)

// PostTagFeedback implements POST /v1/parcels/{waybill}/tags/{tag}/feedback.
func (s *Server) PostTagFeedback(ctx context.Context, req PostTagFeedbackRequestObject) (PostTagFeedbackResponseObject, error) {
	o, err := s.Panel.Judge(ctx, actor(ctx), req.Waybill, req.Tag, req.Body.Verdict)
	return PostTagFeedback200JSONResponse{
		Waybill: string(o.Waybill), Tag: Tag(o.Tag), Verdict: string(o.Verdict), At: o.At,
	}, err
}

// ListLearning implements GET /v1/learning.
func (s *Server) ListLearning(ctx context.Context, req ListLearningRequestObject) (ListLearningResponseObject, error) {
	page, err := ParsePage(req.Params.Limit, req.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	list, err := s.Panel.Learning(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	if page.After != nil { // there are at most as many as there are tags
		list = slices.DeleteFunc(list, func(l prefs.Learning) bool { return string(l.Tag) <= page.After[0] })
	}
	list, next := cut(list, page.Limit, func(l prefs.Learning) *string { return NextCursor(string(l.Tag)) })
	body := TagLearningPage{Items: make([]TagLearning, len(list)), NextCursor: next}
	for i, l := range list {
		body.Items[i] = learningBody(l)
	}
	return ListLearning200JSONResponse(body), nil
}

// ResumeLearning implements POST /v1/learning/{tag}/resumption.
func (s *Server) ResumeLearning(ctx context.Context, req ResumeLearningRequestObject) (ResumeLearningResponseObject, error) {
	l, err := s.Panel.Resume(ctx, actor(ctx), req.Tag)
	return ResumeLearning200JSONResponse(learningBody(l)), err
}

func learningBody(l prefs.Learning) TagLearning {
	return TagLearning{Tag: Tag(l.Tag), Verdicts: l.Verdicts, Wrong: l.Wrong, PausedAt: optional(l.PausedAt)}
}
