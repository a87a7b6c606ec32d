-- +goose Up
-- kind: token, link (a one-time sign-in link) or session. parent_id: the link that a session began with; ending it ends the session.
alter table token add column kind text not null default 'token';
alter table token add column parent_id text not null default '';
create index token_by_parent on token (parent_id) where parent_id <> '';

-- +goose Down
drop index token_by_parent;
alter table token drop column parent_id;
alter table token drop column kind;
