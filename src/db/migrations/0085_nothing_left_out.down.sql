update hip_request set omissions = '{}'::jsonb where omissions is null and page_count is not null;
