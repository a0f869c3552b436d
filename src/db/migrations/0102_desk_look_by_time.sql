-- The data protection officer asks who opened what lately, of everybody and of one person.
create index desk_look_at on desk_look (at);
