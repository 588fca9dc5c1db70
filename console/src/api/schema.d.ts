/* Generated from docs/openapi.json by console/tools/generate.mjs. Change the server, not this file. */

export interface paths {
    "/v1/forms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists forms
         * @description Newest first unless `order` says otherwise.
         */
        get: operations["list_forms"];
        put?: never;
        /**
         * Creates a form
         * @description It begins as a draft: nobody can answer it until it is published.
         */
        post: operations["create_form"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a form */
        get: operations["get_form"];
        put?: never;
        post?: never;
        /**
         * Deletes a form with its versions
         * @description Refused while it has submissions: archive it, or erase them first.
         */
        delete: operations["delete_form"];
        options?: never;
        head?: never;
        /** Changes a form */
        patch: operations["update_form"];
        trace?: never;
    };
    "/v1/forms/{id}/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads the draft of a form */
        get: operations["get_form_draft"];
        /**
         * Saves the draft of a form
         * @description `If-Match` with the draft's ETag is required, so that two editors cannot overwrite each other.
         */
        put: operations["save_form_draft"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/publish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publishes the draft as a new version
         * @description The version is checked first: every fault comes back with a pointer into the definition. Published versions never
         *     change; a definition equal to the live one is not published again.
         */
        post: operations["publish_form"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the versions of a form */
        get: operations["list_form_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/versions/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a version of a form */
        get: operations["get_form_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/published": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the published form, for a renderer
         * @description A page may call this with a publishable key.
         */
        get: operations["get_published_form"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/submissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Hands in an answer to a published form
         * @description Every fault comes back at once, with pointers `/values/<key>`. A page may call this with a publishable key.
         */
        post: operations["create_submission"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forms/{id}/submissions.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Exports the submissions of a form as CSV
         * @description Streamed: memory does not grow with the number of rows. Columns are the fields of the live version.
         */
        get: operations["export_submissions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/submissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists submissions */
        get: operations["list_submissions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/submissions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a submission */
        get: operations["get_submission"];
        put?: never;
        post?: never;
        /** Erases a submission for good */
        delete: operations["delete_submission"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists workflows */
        get: operations["list_workflows"];
        put?: never;
        /**
         * Creates a workflow
         * @description Templates see `event` (id, kind, created_at, trace_id) and `data`, the event's own data.
         */
        post: operations["create_workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workflows/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a workflow */
        get: operations["get_workflow"];
        put?: never;
        post?: never;
        /**
         * Deletes a workflow
         * @description Notifications already planned are still delivered.
         */
        delete: operations["delete_workflow"];
        options?: never;
        head?: never;
        /**
         * Changes a workflow
         * @description Notifications already planned keep their words. `If-Match` is required.
         */
        patch: operations["update_workflow"];
        trace?: never;
    };
    "/v1/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists notifications */
        get: operations["list_notifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a notification with its words and attempts */
        get: operations["get_notification"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a failed notification again
         * @description The same words under the same message id, through the same queue. Only what was given up can be sent again.
         */
        post: operations["replay_notification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the items of your inbox */
        get: operations["list_inbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells how full your inbox is */
        get: operations["get_inbox_summary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Marks an item of your inbox read */
        post: operations["read_inbox_item"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/read-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Marks every item of your inbox read */
        post: operations["read_all_inbox_items"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the mails of the file outbox */
        get: operations["list_mails"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/mails/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a mail of the file outbox */
        get: operations["get_mail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks the assistant
         * @description Answers with a stream of server-sent events (AI SDK UI message stream v1) unless `stream` is `false` or only JSON is
         *     accepted. With an `Idempotency-Key` a repeated request attaches to the same run.
         */
        post: operations["chat_with_assistant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follows an answer being written
         * @description Replays the run from its beginning, or after `after` or `Last-Event-ID`, then goes on live. Any number of readers may
         *     follow. 204 when there is nothing to follow.
         */
        get: operations["follow_assistant_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stops an answer being written
         * @description The model's call is cancelled at once and the partial answer is kept. Stopping what has ended does nothing.
         */
        post: operations["stop_assistant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a conversation */
        get: operations["get_assistant_chat"];
        put?: never;
        post?: never;
        /**
         * Erases a conversation
         * @description Messages, runs and their records are removed for good; an answer being written is stopped.
         */
        delete: operations["delete_assistant_chat"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat/{id}/messages/{message_id}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rates an answer */
        post: operations["rate_assistant_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/chat/{id}/handover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks for a person
         * @description Tells the members, once for each conversation, with the last question and a link to the transcript.
         */
        post: operations["request_assistant_handover"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/suggestions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Questions to begin with */
        get: operations["list_assistant_suggestions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the assistant presents itself */
        get: operations["get_assistant_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists conversations */
        get: operations["list_assistant_conversations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/assistant/conversations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a conversation with its runs
         * @description Besides the messages: what was found for each question, what answered it, tokens, cost and times.
         */
        get: operations["get_assistant_conversation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers in OpenAI's chat completions shape */
        post: operations["create_chat_completion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists models in OpenAI's shape */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells the live figures of your tenant
         * @description Taken at most every two seconds.
         */
        get: operations["get_overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/site/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells the figures that the site shows of itself */
        get: operations["get_site_figures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells whether the installation needs its first owner */
        get: operations["get_setup"];
        put?: never;
        /**
         * Makes the first owner
         * @description Works once, with the token that the server printed at its first start. Sets the session cookie.
         */
        post: operations["complete_setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads the session */
        get: operations["get_session"];
        put?: never;
        /**
         * Logs in
         * @description Sets the session cookie. Repeated failures make the next attempt wait (429 with `Retry-After`).
         */
        post: operations["open_session"];
        /** Logs out */
        delete: operations["end_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/tenant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switches the session to another tenant
         * @description The session gets a new cookie: the old one no longer works.
         */
        post: operations["switch_tenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invites/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accepts an invitation
         * @description Sets the session cookie.
         */
        post: operations["accept_invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells the caller who they are */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists API keys
         * @description The keys themselves are not in the list: each is shown once, when it is made.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Creates an API key
         * @description The answer holds the key itself, once. Nobody can give a key more than they may do themselves.
         */
        post: operations["create_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads an API key */
        get: operations["get_api_key"];
        put?: never;
        post?: never;
        /**
         * Revokes an API key
         * @description It stops working at once, everywhere within two seconds.
         */
        delete: operations["revoke_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces an API key
         * @description Makes a successor with the same name and scopes; the old key works for the overlap. The answer holds the new key
         *     itself, once.
         */
        post: operations["rotate_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists members */
        get: operations["list_members"];
        put?: never;
        /**
         * Invites a member
         * @description Answers with the link to send, once.
         */
        post: operations["invite_member"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a member */
        get: operations["get_member"];
        put?: never;
        post?: never;
        /**
         * Removes a member
         * @description Their sessions and personal keys stop working at once.
         */
        delete: operations["remove_member"];
        options?: never;
        head?: never;
        /** Changes a member's role */
        patch: operations["update_member"];
        trace?: never;
    };
    "/v1/invites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists invitations */
        get: operations["list_invites"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invites/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes an invitation back */
        delete: operations["revoke_invite"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the organisation's tenants */
        get: operations["list_tenants"];
        put?: never;
        /**
         * Creates a tenant
         * @description Makes a live tenant and its test twin.
         */
        post: operations["create_tenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads the tenant */
        get: operations["get_tenant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the tenant
         * @description `allowed_origins` are the origins whose pages may call the API with end users' tokens and publishable keys.
         */
        patch: operations["update_tenant"];
        trace?: never;
    };
    "/v1/user-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mints a token for an end user
         * @description For the tenant's server: the user's browser then calls with the token instead of a key.
         */
        post: operations["create_user_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/realtime/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mints a token for the console's live connection */
        post: operations["create_realtime_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the public keys of the tokens minted here
         * @description A JSON Web Key Set (RFC 7517). During a rotation it holds both keys.
         */
        get: operations["get_jwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/token-issuers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists token issuers */
        get: operations["list_token_issuers"];
        put?: never;
        /**
         * Adds a token issuer
         * @description The tenant's own login: tokens that it signs are accepted for its end users.
         */
        post: operations["create_token_issuer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/token-issuers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a token issuer */
        get: operations["get_token_issuer"];
        put?: never;
        post?: never;
        /**
         * Removes a token issuer
         * @description Its tokens are no longer accepted.
         */
        delete: operations["delete_token_issuer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the audit trail
         * @description Every administrative act, in a chain of hashes: `plinth doctor` verifies that nothing was changed or removed.
         */
        get: operations["list_audit_entries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists events
         * @description Newest first.
         */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads an event */
        get: operations["get_event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/parked-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists parked events
         * @description Events that a consumer failed to handle again and again, newest first.
         */
        get: operations["list_parked_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/parked-events/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries a parked event again
         * @description Those held behind it follow in order when it succeeds.
         */
        post: operations["replay_parked_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists jobs
         * @description Newest first.
         */
        get: operations["list_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a job with its attempts */
        get: operations["get_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tries a dead or cancelled job again */
        post: operations["replay_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels a job
         * @description A job that is running is asked to stop; one whose effect has happened cannot be cancelled.
         */
        post: operations["cancel_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/replay-dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries dead letters again
         * @description The oldest first, spread over time, at most so many in one call; `has_more` tells whether to call again.
         */
        post: operations["replay_dead_jobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists schedules
         * @description In the order in which they were declared.
         */
        get: operations["list_schedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a trace
         * @description What happened because of one request: events, their handling, jobs, every attempt. Requests appear about a tenth
         *     of a second after they ended.
         */
        get: operations["get_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists requests
         * @description What was asked and how it ended, newest first. A request appears about a tenth of a second after it ended; under
         *     overload successes may be missing, failures last of all.
         */
        get: operations["list_requests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a request */
        get: operations["get_request"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the limits
         * @description Everything that this installation limits, with its value.
         */
        get: operations["get_limits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An invitation taken up. */
        AcceptInviteBody: {
            /** @description The token of the link. */
            token: string;
            /**
             * Format: password
             * @description A new password, or the existing one of whoever has an account under this address.
             */
            password: string;
            /**
             * @description Name for people; ignored for an existing account.
             * @example Grace Hopper
             */
            name: string;
        };
        /** @description A key as it is shown. The key itself is not in it. */
        ApiKey: {
            /** @description Always `api_key`. */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["KeyId"];
            /** @description What it is for. */
            kind: components["schemas"]["KeyKind"];
            /** @description A name for people. */
            name: string;
            /** @description Whether it works. */
            status: components["schemas"]["KeyStatus"];
            /** @description Beginning and end of the key, enough to recognise it: `plk_live_3kTMd0a1b2C3_…x7Qz`. */
            hint: string;
            /** @description Its last four characters. */
            last4: string;
            /** @description What it grants. */
            scopes: string[];
            /** @description Addresses it may be used from. */
            allowed_ips: string[];
            /** @description Origins it may be used from. */
            allowed_origins: string[];
            /** @description The API version pinned to it. */
            version?: string | null;
            member_id?: components["schemas"]["MemberId"] | null;
            /** @description Who made it. */
            created_by: string;
            predecessor_id?: components["schemas"]["KeyId"] | null;
            successor_id?: components["schemas"]["KeyId"] | null;
            expires_at?: components["schemas"]["Micros"] | null;
            retires_at?: components["schemas"]["Micros"] | null;
            revoked_at?: components["schemas"]["Micros"] | null;
            last_used_at?: components["schemas"]["Micros"] | null;
            /**
             * Format: int64
             * @description Its revision.
             */
            rev: number;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @example att_01kb3h5f8xe7ksq2v9w6m4t0rd */
        AttemptId: string;
        /** @description An entry as it is shown. */
        AuditEntry: {
            /** @description Always `audit_entry`. */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["AuditId"];
            /**
             * Format: int64
             * @description Its place in the tenant's chain: 1, 2, 3 … without a gap.
             */
            sequence: number;
            /** @description When. */
            created_at: components["schemas"]["Micros"];
            /** @description Who, as `member:mbr_…`. */
            actor: string;
            /** @description What, as `identity.key.revoked`. */
            action: string;
            /** @description The id of what was changed. */
            target: string;
            /** @description SHA-256 of its state before. */
            before_digest?: string | null;
            /** @description SHA-256 of its state after. */
            after_digest?: string | null;
            /** @description The request. */
            request_id?: string | null;
            /** @description The address it came from. */
            ip?: string | null;
            /** @description `SHA256(hash of the entry before | this entry)`. */
            hash: string;
        };
        /** @example aud_01kb3h5f8xe7ksq2v9w6m4t0rd */
        AuditId: string;
        /** @description A question, in any of three forms: a plain text, one UI message, or the body that AI SDK's `useChat` sends. */
        ChatBody: {
            /**
             * @description Conversation: ours (`cnv_…`) or a name of the client's own; a new one begins when absent.
             * @example chat-7f3a
             */
            id?: string | null;
            /** @description The question as text (at most 1,000 characters), or as a UI message with text parts. */
            message?: unknown;
            /** @description UI messages; only the last one of the user is read, the server's own transcript is the history. */
            messages?: unknown[] | null;
            /**
             * @description `submit-message`, or `regenerate-message` to answer the last question again.
             * @example submit-message
             */
            trigger?: string | null;
            /** @description Sent by AI SDK clients; not needed. */
            messageId?: unknown;
            /**
             * @description Language of the page, BCP 47.
             * @example en
             */
            locale?: string | null;
            /**
             * @description Path of the page being read; follow-up questions lean on it.
             * @example /systems/forms
             */
            page?: string | null;
            /**
             * @description `extractive`, or the configured model's provider.
             * @example extractive
             */
            provider?: string | null;
            /** @description `false` answers one JSON document instead of a stream. */
            stream?: boolean | null;
        };
        /** @description A quotation in an answer. Spans count UTF-16 units. */
        CitationObject: {
            /**
             * Format: int64
             * @description The number of the source.
             */
            n: number;
            /** @description The passage's id. */
            source_id: string;
            /** @description Start and end in the answer. */
            answer: number[];
            /** @description Start and end in the passage. */
            source: number[];
        };
        /** @description The first owner and their organisation. */
        CompleteSetup: {
            /** @description The token that the terminal printed. */
            token: string;
            /**
             * @description Address to log in with.
             * @example ada@example.com
             */
            email: string;
            /**
             * Format: password
             * @description A password of 10 characters or more.
             */
            password: string;
            /**
             * @description Name for people.
             * @example Ada Lovelace
             */
            name: string;
            /**
             * @description Name of the organisation.
             * @example Analytical Engines
             */
            organisation: string;
        };
        /** @description The part of OpenAI's request that is read. */
        CompletionBody: {
            /**
             * @description `site-assistant`, or with a provider: `site-assistant/extractive`.
             * @example site-assistant
             */
            model: string;
            /**
             * @description Messages; the last one of the user is the question.
             * @example [
             *       {
             *         "role": "user",
             *         "content": "Does he know Kubernetes?"
             *       }
             *     ]
             */
            messages: Record<string, never>[];
            /** @description Whether to stream. */
            stream?: boolean | null;
            /** @description `include_usage` adds a last chunk with usage. */
            stream_options?: Record<string, never> | null;
        };
        /** @description How the assistant presents itself. */
        ConfigObject: {
            /**
             * @description Always `assistant_config`.
             * @example assistant_config
             */
            object: string;
            /** @description Its name. */
            name: string;
            /** @description Whom or what it speaks about. */
            subject: string;
            /** @description Said to begin with. */
            greeting: string;
            /** @description Where to reach a person. */
            contact_url: string;
            /** @description Questions to begin with. */
            suggestions: string[];
            /** @description Who answers: `extractive`, or the model's provider. */
            provider: string;
            /** @description Providers a question may ask for. */
            providers: string[];
            /** @description Whether questions leave this server; a page should say so. */
            remote: boolean;
            /** @description Longest question, in characters. */
            question_chars_max: number;
            /** @description The content answers come from. */
            content_version: string;
        };
        /** @description A conversation as the console shows it. */
        ConversationDetail: components["schemas"]["TranscriptObject"] & {
            /** @description How each answer came about. */
            runs: components["schemas"]["RunObject"][];
        };
        /** @example cnv_01kb3h5f8xe7ksq2v9w6m4t0rd */
        ConversationId: string;
        /** @description A conversation. */
        ConversationObject: {
            /**
             * @description Its id.
             * @example cnv_01kb3q5n8e7x9a2c4d6f8g0h1j
             */
            id: string;
            /**
             * @description Always `conversation`.
             * @example conversation
             */
            object: string;
            /** @description The client's own name for it. */
            external_id?: string | null;
            /** @description The beginning of its first question. */
            title: string;
            /** @description Who began it: `visitor:…`, `user:…`, `key:…`, `member:…`. */
            owner: string;
            /**
             * Format: int64
             * @description How many messages it has.
             */
            message_count: number;
            /** @description When it began. */
            created_at: string;
            /** @description When something was last said. */
            updated_at: string;
        };
        /** @description A new form. */
        CreateForm: {
            /**
             * @description Name, for people who manage it.
             * @example Event registration
             */
            name: string;
            /**
             * @description Your own key, unique among your forms.
             * @example event-registration
             */
            external_id?: string | null;
            definition?: components["schemas"]["Definition"] | null;
            /** @description Your own notes. */
            metadata?: {
                [key: string]: string;
            };
        };
        /** @description An answer. */
        CreateSubmission: {
            /**
             * @description The values by the keys of the form's fields.
             * @example {
             *       "name": "Ada",
             *       "email": "ada@example.org"
             *     }
             */
            values: {
                [key: string]: unknown;
            };
        };
        /** @description A project to be made. */
        CreateTenant: {
            /**
             * @description Its name.
             * @example Second shop
             */
            name: string;
        };
        /** @description A new workflow. */
        CreateWorkflow: {
            /**
             * @description Name.
             * @example Contact message to the team
             */
            name: string;
            /**
             * @description Your own key, unique among your workflows.
             * @example contact-to-team
             */
            external_id?: string | null;
            /**
             * @description Whether events start it at once.
             * @default true
             */
            enabled: boolean;
            /** @description What starts it. */
            trigger: components["schemas"]["WorkflowTrigger"];
            /** @description What it does. */
            steps: components["schemas"]["WorkflowStep"][];
        };
        /** @description Everything a console needs to know about the session it runs in. */
        CurrentSession: {
            /** @description Always `current_session`. */
            object: string;
            /** @description The member. */
            member: components["schemas"]["Member"];
            /** @description Their role here. */
            role: components["schemas"]["Role"];
            /** @description What they may do here. */
            scopes: string[];
            /** @description The tenant they work in. */
            tenant: components["schemas"]["Tenant"];
            /** @description Every tenant they may switch to. */
            tenants: components["schemas"]["TenantChoice"][];
        };
        /** @description A whole definition. A draft may break every limit; publishing says which. */
        Definition: {
            /**
             * Format: int64
             * @description Version of the definition language. Always 1 today.
             */
            lang: number;
            /**
             * @description Language of texts that a locale does not translate.
             * @example en
             */
            default_locale?: string;
            /** @description Heading. */
            title?: {
                [key: string]: string;
            };
            /** @description Below the heading. */
            description?: {
                [key: string]: string;
            };
            /** @description Pages in order. */
            pages: components["schemas"]["FormPage"][];
            /** @description Everything else. */
            settings?: components["schemas"]["FormSettings"];
        };
        /** @description An attempt to deliver. */
        DeliveryAttempt: {
            /** @description Id. */
            id: components["schemas"]["AttemptId"];
            /**
             * Format: int32
             * @description Which one, from 1.
             */
            number: number;
            /** @description When it was opened, before the call. */
            started_at: components["schemas"]["Micros"];
            finished_at?: components["schemas"]["Micros"] | null;
            /** @description How it ended. */
            outcome?: string | null;
            /** @description Why it failed. */
            error?: string | null;
        };
        /** @description Notifications. */
        DeliveryFigures: {
            /**
             * Format: int64
             * @description Delivered in the last 24 hours.
             */
            today: number;
            /**
             * Format: int64
             * @description Given up in the last 24 hours.
             */
            failed_today: number;
        };
        /** @description An event: a fact that was committed. */
        Event: {
            /**
             * @description Always `event`.
             * @example event
             */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["EventId"];
            /**
             * @description `system.noun.verb_past`.
             * @example forms.submission.completed
             */
            type: string;
            /**
             * Format: int32
             * @description Version of the shape of `data`.
             */
            version: number;
            /** @description When it was appended. */
            created_at: components["schemas"]["Micros"];
            /** @description Whose it is. */
            tenant_id: components["schemas"]["TenantId"];
            /**
             * @description The key that orders: events of one subject are seen in order.
             * @example sub_01kb3h5f8xe7ksq2v9w6m4t0rd
             */
            subject: string;
            /**
             * Format: int32
             * @description Its partition of the log.
             */
            partition: number;
            /**
             * Format: int64
             * @description Its place in the partition.
             */
            sequence: number;
            /**
             * @description Who caused it.
             * @example visitor:3J9x
             */
            actor: string;
            /** @description Trace; see `GET /v1/traces/{trace_id}`. */
            trace_id: string;
            causation_id?: components["schemas"]["EventId"] | null;
            /** @description What happened. */
            data: Record<string, never>;
        };
        /** @description Events. */
        EventFigures: {
            /**
             * Format: int64
             * @description Events that the slowest consumer has not seen.
             */
            lag: number;
            /**
             * Format: int64
             * @description Age of the oldest of them.
             */
            lag_ms: number;
            /**
             * Format: int64
             * @description Events that were put aside.
             */
            parked: number;
            /**
             * Format: double
             * @description Events a second, by this process, since it began.
             */
            per_second: number;
        };
        /** @example evt_01kb3h5f8xe7ksq2v9w6m4t0rd */
        EventId: string;
        /** @description A rating. */
        FeedbackBody: {
            /**
             * Format: int64
             * @description `1` for a good answer, `-1` for a bad one.
             * @example 1
             */
            rating: number;
            /**
             * @description Why.
             * @example It names the broker.
             */
            reason?: string | null;
        };
        /** @description One input at fault. */
        FieldError: {
            /** @description JSON Pointer (RFC 6901) into the body. */
            pointer?: string | null;
            /** @description Name of the query or path parameter. */
            parameter?: string | null;
            /** @description Name of the header. */
            header?: string | null;
            /** @description Stable name of the fault: `required`, `too_long`, `invalid_email` … */
            code: string;
            /** @description For people: what is wrong and what would be right. */
            detail: string;
            /** @description The numbers behind it, for callers that write their own sentence: `{"max": 80}`. */
            meta?: Record<string, never> | null;
        };
        /** @description A form. */
        Form: {
            /** @description Id. */
            id: components["schemas"]["FormId"];
            /**
             * @description Always `form`.
             * @example form
             */
            object: string;
            /** @description The caller's own key. */
            external_id?: string | null;
            /** @description Name, for people who manage it. */
            name: string;
            /** @description `active` or `archived`. An archived form takes no submissions. */
            state: string;
            /**
             * Format: int64
             * @description Number of the published version, if there is one.
             */
            live_version?: number | null;
            /**
             * Format: int64
             * @description Revision of the draft.
             */
            draft_rev: number;
            /**
             * Format: int64
             * @description Revision of the form.
             */
            rev: number;
            /** @description The caller's own notes. */
            metadata: {
                [key: string]: string;
            };
            /** @description When it was created. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @description A choice of a field. */
        FormChoice: {
            /**
             * @description Immutable id, unique in the definition: what is stored.
             * @example ch_role
             */
            id: string;
            /**
             * @description Value in the API and in exports.
             * @example role
             */
            key: string;
            /** @description Label. */
            label?: {
                [key: string]: string;
            };
        };
        /** @description The draft of a form. */
        FormDraft: {
            /**
             * @description Always `form_draft`.
             * @example form_draft
             */
            object: string;
            /** @description The form. */
            form_id: components["schemas"]["FormId"];
            /**
             * Format: int64
             * @description Revision of the draft: the ETag that a change must match.
             */
            rev: number;
            /** @description The definition. */
            definition: components["schemas"]["Definition"];
            /** @description What keeps it from being published. Empty when nothing does. */
            faults: components["schemas"]["FieldError"][];
        };
        /** @description A field of a form. */
        FormField: {
            /**
             * @description Immutable id, unique in the definition: answers are stored under it.
             * @example fl_email
             */
            id: string;
            /**
             * @description Name of the value in the API and in exports; may change without touching answers.
             * @example email
             */
            key: string;
            /** @description What kind of answer. */
            type: components["schemas"]["FormFieldType"];
            /** @description Label. */
            label?: {
                [key: string]: string;
            };
            /** @description Help below the label. */
            help?: {
                [key: string]: string;
            };
            /** @description Whether an answer must be given. A required checkbox must be ticked. */
            required?: boolean;
            /**
             * Format: int64
             * @description Shortest text, in characters.
             */
            min_length?: number | null;
            /**
             * Format: int64
             * @description Longest text, in characters. 1,000 when absent.
             */
            max_length?: number | null;
            /**
             * @description Regular expression that the whole text must match. Linear-time syntax: no look-around, no back-references.
             * @example [A-Z]{2}[0-9]{4}
             */
            pattern?: string | null;
            /** @description What to say when the pattern does not match. */
            pattern_message?: {
                [key: string]: string;
            };
            /** @description The choices of a `choice` field. */
            choices?: components["schemas"]["FormChoice"][];
            /**
             * @description HTML's `autocomplete` token for the renderer, at most 64 characters.
             * @example email
             */
            autocomplete?: string | null;
        };
        /**
         * @description The kinds of answers.
         * @enum {string}
         */
        FormFieldType: "text" | "long_text" | "email" | "choice" | "checkbox";
        /** @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd */
        FormId: string;
        /** @description A page of a form. */
        FormPage: {
            /**
             * @description Immutable id, unique in the definition.
             * @example pg_1
             */
            id: string;
            /** @description Heading. */
            title?: {
                [key: string]: string;
            };
            /** @description Fields in order. */
            items: components["schemas"]["FormField"][];
        };
        /** @description Everything about a form that is not a field. */
        FormSettings: {
            /** @description Label of the button. */
            submit_label?: {
                [key: string]: string;
            };
            /** @description Shown after a successful submission. */
            thank_you?: {
                [key: string]: string;
            };
        };
        /**
         * @description Whether a form takes submissions.
         * @enum {string}
         */
        FormState: "active" | "archived";
        /** @description A published version of a form. It never changes. */
        FormVersion: {
            /** @description Id. */
            id: components["schemas"]["FormVersionId"];
            /**
             * @description Always `form_version`.
             * @example form_version
             */
            object: string;
            /** @description The form. */
            form_id: components["schemas"]["FormId"];
            /**
             * Format: int64
             * @description 1, 2, 3 …
             */
            number: number;
            /** @description SHA-256 of the definition. */
            hash: string;
            /** @description What changed, in the publisher's words. */
            note: string;
            /**
             * @description Who published it.
             * @example member:mbr_01kb3h5f8xe7ksq2v9w6m4t0rd
             */
            published_by: string;
            /** @description When it was published. */
            created_at: components["schemas"]["Micros"];
            /** @description The definition. */
            definition: components["schemas"]["Definition"];
        };
        /** @example fv_01kb3h5f8xe7ksq2v9w6m4t0rd */
        FormVersionId: string;
        /** @description How to reach the visitor, and what for. */
        HandoverBody: {
            /**
             * @description Where to answer.
             * @example ada@example.org
             */
            email?: string | null;
            /** @description What a person should know. */
            message?: string | null;
        };
        /** @description What became of it. */
        HandoverObject: {
            /**
             * @description Always `handover`.
             * @example handover
             */
            object: string;
            /** @description The conversation. */
            conversation_id: components["schemas"]["ConversationId"];
            /**
             * @description `requested`: the members have been told, now or by an earlier request.
             * @example requested
             */
            status: string;
        };
        /** @description An item of the inbox. */
        InboxItem: {
            /** @description Id. */
            id: components["schemas"]["InboxItemId"];
            /**
             * @description Always `inbox_item`.
             * @example inbox_item
             */
            object: string;
            /** @description The notification that it is. */
            notification_id: components["schemas"]["NotificationId"];
            /** @description Title. */
            title: string;
            /** @description Body. */
            body: string;
            /** @description Where it leads. */
            url?: string | null;
            /** @description The trace it belongs to. */
            trace_id: string;
            /** @description When it came. */
            created_at: components["schemas"]["Micros"];
            read_at?: components["schemas"]["Micros"] | null;
        };
        /** @example inb_01kb3h5f8xe7ksq2v9w6m4t0rd */
        InboxItemId: string;
        /** @description How full the inbox is. */
        InboxSummary: {
            /**
             * @description Always `inbox_summary`.
             * @example inbox_summary
             */
            object: string;
            /**
             * Format: int64
             * @description Items not read yet.
             */
            unread: number;
        };
        /** @description An invitation as it is shown. The link is not in it. */
        Invite: {
            /** @description Always `invite`. */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["InviteId"];
            /** @description Whom it is for. */
            email: string;
            /** @description The role it gives. */
            role: components["schemas"]["Role"];
            /** @description Where it stands. */
            status: components["schemas"]["InviteStatus"];
            /** @description Who made it. */
            invited_by: string;
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            accepted_at?: components["schemas"]["Micros"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
        };
        /** @example inv_01kb3h5f8xe7ksq2v9w6m4t0rd */
        InviteId: string;
        /**
         * @description Where an invitation stands.
         * @enum {string}
         */
        InviteStatus: "open" | "accepted" | "revoked" | "expired";
        /** @example iss_01kb3h5f8xe7ksq2v9w6m4t0rd */
        IssuerId: string;
        /** @description A job: an effect that was committed before it is tried. */
        Job: {
            /**
             * @description Always `job`.
             * @example job
             */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["JobId"];
            /**
             * @description Its queue.
             * @example mail
             */
            queue: string;
            /**
             * @description Its kind.
             * @example notify.send_email
             */
            kind: string;
            /**
             * @description `blocked`, `scheduled`, `ready`, `running`, `retrying`, `done`, `dead` or `cancelled`.
             * @example done
             */
            state: string;
            /**
             * Format: int32
             * @description Attempts made.
             */
            attempt: number;
            /**
             * Format: int32
             * @description Attempts that may fail before it is a dead letter.
             */
            max_attempts: number;
            /** @description When it is, or was last, due. */
            run_at: components["schemas"]["Micros"];
            /** @description When it was enqueued. */
            created_at: components["schemas"]["Micros"];
            /** @description When it last changed. */
            updated_at: components["schemas"]["Micros"];
            finished_at?: components["schemas"]["Micros"] | null;
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description Why the last attempt failed. */
            last_error?: string | null;
            /** @description Where its effect goes. */
            destination?: string | null;
            /** @description Jobs with the same key run one after the other. */
            ordering_key?: string | null;
            /** @description Whether somebody asked to cancel it. */
            cancel_requested: boolean;
            /** @description Trace; see `GET /v1/traces/{trace_id}`. */
            trace_id: string;
            causation_id?: components["schemas"]["EventId"] | null;
            /** @description What its handler is told. */
            payload: Record<string, never>;
            /** @description What its handler answered. */
            result?: Record<string, never> | null;
            /** @description Every attempt, in order; empty in lists. */
            attempts: components["schemas"]["JobAttempt"][];
        };
        /** @description One try of a job. */
        JobAttempt: {
            /** @description Its id. */
            id: components["schemas"]["AttemptId"];
            /**
             * Format: int32
             * @description Which one it is, from 1.
             */
            number: number;
            /** @description When it was opened, before the effect. */
            started_at: components["schemas"]["Micros"];
            ended_at?: components["schemas"]["Micros"] | null;
            /**
             * @description `done`, `retry`, `dead`, `cancelled`, `unknown`; `running` while it is open.
             * @example done
             */
            outcome: string;
            /** @description Why it failed. */
            error?: string | null;
            /** @description The process that made it. */
            node: string;
        };
        /** @description Jobs. */
        JobFigures: {
            /**
             * Format: int64
             * @description Waiting, now or for a later time.
             */
            due: number;
            /**
             * Format: int64
             * @description Running.
             */
            running: number;
            /**
             * Format: int64
             * @description Dead letters.
             */
            dead: number;
            /**
             * Format: int64
             * @description How long the oldest has been due.
             */
            oldest_due_ms: number;
        };
        /** @example job_01kb3h5f8xe7ksq2v9w6m4t0rd */
        JobId: string;
        /** @example key_01kb3h5f8xe7ksq2v9w6m4t0rd */
        KeyId: string;
        /**
         * @description What a key is for.
         * @enum {string}
         */
        KeyKind: "secret" | "publishable" | "personal";
        /**
         * @description Whether a key works.
         * @enum {string}
         */
        KeyStatus: "active" | "retiring" | "expired" | "revoked";
        /** @description A limit. */
        Limit: {
            /**
             * @description Its name.
             * @example json_body
             */
            name: string;
            /**
             * Format: int64
             * @description Its value.
             */
            value: number;
            /**
             * @description Its unit.
             * @example bytes
             */
            unit: string;
            /** @description What it limits. */
            description: string;
        };
        /** @description Limits of the installation. */
        Limits: {
            /**
             * @description Always `limits`.
             * @example limits
             */
            object: string;
            /** @description Rate limits; what is left of each stands in the headers of every answer. */
            rates: components["schemas"]["RateLimit"][];
            /** @description Everything else. */
            limits: components["schemas"]["Limit"][];
            /**
             * @description Supported versions of the contract, oldest first.
             * @example [
             *       "2026-06-01",
             *       "2026-11-01"
             *     ]
             */
            versions: string[];
        };
        /** @description A page, as every list answers it. */
        ListBody_ApiKey: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `api_key`. */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["KeyId"];
                /** @description What it is for. */
                kind: components["schemas"]["KeyKind"];
                /** @description A name for people. */
                name: string;
                /** @description Whether it works. */
                status: components["schemas"]["KeyStatus"];
                /** @description Beginning and end of the key, enough to recognise it: `plk_live_3kTMd0a1b2C3_…x7Qz`. */
                hint: string;
                /** @description Its last four characters. */
                last4: string;
                /** @description What it grants. */
                scopes: string[];
                /** @description Addresses it may be used from. */
                allowed_ips: string[];
                /** @description Origins it may be used from. */
                allowed_origins: string[];
                /** @description The API version pinned to it. */
                version?: string | null;
                member_id?: components["schemas"]["MemberId"] | null;
                /** @description Who made it. */
                created_by: string;
                predecessor_id?: components["schemas"]["KeyId"] | null;
                successor_id?: components["schemas"]["KeyId"] | null;
                expires_at?: components["schemas"]["Micros"] | null;
                retires_at?: components["schemas"]["Micros"] | null;
                revoked_at?: components["schemas"]["Micros"] | null;
                last_used_at?: components["schemas"]["Micros"] | null;
                /**
                 * Format: int64
                 * @description Its revision.
                 */
                rev: number;
                /** @description When it was made. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_AuditEntry: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `audit_entry`. */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["AuditId"];
                /**
                 * Format: int64
                 * @description Its place in the tenant's chain: 1, 2, 3 … without a gap.
                 */
                sequence: number;
                /** @description When. */
                created_at: components["schemas"]["Micros"];
                /** @description Who, as `member:mbr_…`. */
                actor: string;
                /** @description What, as `identity.key.revoked`. */
                action: string;
                /** @description The id of what was changed. */
                target: string;
                /** @description SHA-256 of its state before. */
                before_digest?: string | null;
                /** @description SHA-256 of its state after. */
                after_digest?: string | null;
                /** @description The request. */
                request_id?: string | null;
                /** @description The address it came from. */
                ip?: string | null;
                /** @description `SHA256(hash of the entry before | this entry)`. */
                hash: string;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_ConversationObject: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Its id.
                 * @example cnv_01kb3q5n8e7x9a2c4d6f8g0h1j
                 */
                id: string;
                /**
                 * @description Always `conversation`.
                 * @example conversation
                 */
                object: string;
                /** @description The client's own name for it. */
                external_id?: string | null;
                /** @description The beginning of its first question. */
                title: string;
                /** @description Who began it: `visitor:…`, `user:…`, `key:…`, `member:…`. */
                owner: string;
                /**
                 * Format: int64
                 * @description How many messages it has.
                 */
                message_count: number;
                /** @description When it began. */
                created_at: string;
                /** @description When something was last said. */
                updated_at: string;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Event: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Always `event`.
                 * @example event
                 */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["EventId"];
                /**
                 * @description `system.noun.verb_past`.
                 * @example forms.submission.completed
                 */
                type: string;
                /**
                 * Format: int32
                 * @description Version of the shape of `data`.
                 */
                version: number;
                /** @description When it was appended. */
                created_at: components["schemas"]["Micros"];
                /** @description Whose it is. */
                tenant_id: components["schemas"]["TenantId"];
                /**
                 * @description The key that orders: events of one subject are seen in order.
                 * @example sub_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                subject: string;
                /**
                 * Format: int32
                 * @description Its partition of the log.
                 */
                partition: number;
                /**
                 * Format: int64
                 * @description Its place in the partition.
                 */
                sequence: number;
                /**
                 * @description Who caused it.
                 * @example visitor:3J9x
                 */
                actor: string;
                /** @description Trace; see `GET /v1/traces/{trace_id}`. */
                trace_id: string;
                causation_id?: components["schemas"]["EventId"] | null;
                /** @description What happened. */
                data: Record<string, never>;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Form: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["FormId"];
                /**
                 * @description Always `form`.
                 * @example form
                 */
                object: string;
                /** @description The caller's own key. */
                external_id?: string | null;
                /** @description Name, for people who manage it. */
                name: string;
                /** @description `active` or `archived`. An archived form takes no submissions. */
                state: string;
                /**
                 * Format: int64
                 * @description Number of the published version, if there is one.
                 */
                live_version?: number | null;
                /**
                 * Format: int64
                 * @description Revision of the draft.
                 */
                draft_rev: number;
                /**
                 * Format: int64
                 * @description Revision of the form.
                 */
                rev: number;
                /** @description The caller's own notes. */
                metadata: {
                    [key: string]: string;
                };
                /** @description When it was created. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_FormVersion: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["FormVersionId"];
                /**
                 * @description Always `form_version`.
                 * @example form_version
                 */
                object: string;
                /** @description The form. */
                form_id: components["schemas"]["FormId"];
                /**
                 * Format: int64
                 * @description 1, 2, 3 …
                 */
                number: number;
                /** @description SHA-256 of the definition. */
                hash: string;
                /** @description What changed, in the publisher's words. */
                note: string;
                /**
                 * @description Who published it.
                 * @example member:mbr_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                published_by: string;
                /** @description When it was published. */
                created_at: components["schemas"]["Micros"];
                /** @description The definition. */
                definition: components["schemas"]["Definition"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_InboxItem: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["InboxItemId"];
                /**
                 * @description Always `inbox_item`.
                 * @example inbox_item
                 */
                object: string;
                /** @description The notification that it is. */
                notification_id: components["schemas"]["NotificationId"];
                /** @description Title. */
                title: string;
                /** @description Body. */
                body: string;
                /** @description Where it leads. */
                url?: string | null;
                /** @description The trace it belongs to. */
                trace_id: string;
                /** @description When it came. */
                created_at: components["schemas"]["Micros"];
                read_at?: components["schemas"]["Micros"] | null;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Invite: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `invite`. */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["InviteId"];
                /** @description Whom it is for. */
                email: string;
                /** @description The role it gives. */
                role: components["schemas"]["Role"];
                /** @description Where it stands. */
                status: components["schemas"]["InviteStatus"];
                /** @description Who made it. */
                invited_by: string;
                /** @description When it ends. */
                expires_at: components["schemas"]["Micros"];
                accepted_at?: components["schemas"]["Micros"] | null;
                /** @description When it was made. */
                created_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Job: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Always `job`.
                 * @example job
                 */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["JobId"];
                /**
                 * @description Its queue.
                 * @example mail
                 */
                queue: string;
                /**
                 * @description Its kind.
                 * @example notify.send_email
                 */
                kind: string;
                /**
                 * @description `blocked`, `scheduled`, `ready`, `running`, `retrying`, `done`, `dead` or `cancelled`.
                 * @example done
                 */
                state: string;
                /**
                 * Format: int32
                 * @description Attempts made.
                 */
                attempt: number;
                /**
                 * Format: int32
                 * @description Attempts that may fail before it is a dead letter.
                 */
                max_attempts: number;
                /** @description When it is, or was last, due. */
                run_at: components["schemas"]["Micros"];
                /** @description When it was enqueued. */
                created_at: components["schemas"]["Micros"];
                /** @description When it last changed. */
                updated_at: components["schemas"]["Micros"];
                finished_at?: components["schemas"]["Micros"] | null;
                expires_at?: components["schemas"]["Micros"] | null;
                /** @description Why the last attempt failed. */
                last_error?: string | null;
                /** @description Where its effect goes. */
                destination?: string | null;
                /** @description Jobs with the same key run one after the other. */
                ordering_key?: string | null;
                /** @description Whether somebody asked to cancel it. */
                cancel_requested: boolean;
                /** @description Trace; see `GET /v1/traces/{trace_id}`. */
                trace_id: string;
                causation_id?: components["schemas"]["EventId"] | null;
                /** @description What its handler is told. */
                payload: Record<string, never>;
                /** @description What its handler answered. */
                result?: Record<string, never> | null;
                /** @description Every attempt, in order; empty in lists. */
                attempts: components["schemas"]["JobAttempt"][];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Mail: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["MailId"];
                /**
                 * @description Always `mail`.
                 * @example mail
                 */
                object: string;
                /** @description The notification that it is. */
                notification_id: components["schemas"]["NotificationId"];
                /** @description Sender. */
                from: string;
                /** @description Receiver. */
                to: string;
                /** @description Subject. */
                subject: string;
                /** @description The trace it belongs to. */
                trace_id: string;
                /** @description When it was written. */
                created_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Member: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `member`. */
                object: string;
                /** @description Their id. */
                id: components["schemas"]["MemberId"];
                /** @description Their address. */
                email: string;
                /** @description Their name. */
                name: string;
                /** @description Their role in this organisation. */
                role: components["schemas"]["Role"];
                last_login_at?: components["schemas"]["Micros"] | null;
                /**
                 * Format: int64
                 * @description The membership's revision.
                 */
                rev: number;
                /** @description When they joined. */
                created_at: components["schemas"]["Micros"];
                /** @description When the membership was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Notification: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["NotificationId"];
                /**
                 * @description Always `notification`.
                 * @example notification
                 */
                object: string;
                /** @description The workflow. */
                workflow_id: components["schemas"]["WorkflowId"];
                /**
                 * Format: int64
                 * @description Its revision when the notification was planned.
                 */
                workflow_rev: number;
                /** @description The step. */
                step_id: string;
                /** @description The event that led to it. */
                event_id: components["schemas"]["EventId"];
                /**
                 * @description `email` or `in_app`.
                 * @example email
                 */
                channel: string;
                /** @description `member:mbr_…` or `address:…`. */
                recipient: string;
                /**
                 * @description `pending`, `retrying`, `sent` or `failed`.
                 * @example sent
                 */
                state: string;
                /** @description Who took it: the mail server's host, `outbox` or `inbox`. */
                provider?: string | null;
                /** @description Why the last attempt failed. */
                last_error?: string | null;
                job_id?: components["schemas"]["JobId"] | null;
                /** @description The trace it belongs to. */
                trace_id: string;
                /** @description When it was planned. */
                created_at: components["schemas"]["Micros"];
                /** @description When it last changed. */
                updated_at: components["schemas"]["Micros"];
                sent_at?: components["schemas"]["Micros"] | null;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_ParkedEvent: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Always `parked_event`.
                 * @example parked_event
                 */
                object: string;
                /**
                 * @description Its id: the event's and the consumer's.
                 * @example evt_01kb3h5f8xe7ksq2v9w6m4t0rd.notify.workflows
                 */
                id: string;
                /** @description The event. */
                event_id: components["schemas"]["EventId"];
                /** @description Its type. */
                event_type: string;
                /** @description Its subject. */
                subject: string;
                /** @description The consumer. */
                consumer: string;
                /**
                 * @description `parked`, `held` (waits behind an earlier one of its subject) or `due` (is about to be tried again).
                 * @example parked
                 */
                state: string;
                /**
                 * Format: int32
                 * @description Tries so far.
                 */
                attempts: number;
                /** @description Why the last one failed. */
                error?: string | null;
                /** @description When it was put aside. */
                parked_at: components["schemas"]["Micros"];
                /** @description Trace. */
                trace_id: string;
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Request: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Always `request`.
                 * @example request
                 */
                object: string;
                /** @description Id, as in `X-Request-Id`. */
                id: components["schemas"]["RequestId"];
                /**
                 * @description Operation; none for pages.
                 * @example create_form
                 */
                operation?: string | null;
                /**
                 * @description HTTP method.
                 * @example POST
                 */
                method: string;
                /**
                 * @description Path, without the query.
                 * @example /v1/forms
                 */
                path: string;
                /**
                 * Format: int64
                 * @description HTTP status; 499 when the client went away first.
                 * @example 201
                 */
                status: number;
                problem?: components["schemas"]["RequestProblem"] | null;
                /**
                 * Format: double
                 * @description How long it took.
                 * @example 1.83
                 */
                duration_ms: number;
                /** @description Trace; see `GET /v1/traces/{trace_id}`. */
                trace_id: string;
                /** @description Span of the request in its trace. */
                span_id: string;
                /**
                 * @description Who asked: `key:…`, `member:…`, `user:…`, `visitor:…` or `anonymous`.
                 * @example key:key_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                actor: string;
                /** @description Address of the client. */
                client_ip: string;
                /** @description What the client called itself. */
                user_agent?: string | null;
                /** @description The caller's own id of the request. */
                client_request_id?: string | null;
                /** @description The caller's idempotency key. */
                idempotency_key?: string | null;
                /** @description Version of the contract. */
                version?: string | null;
                /** @description When it came. */
                created_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Schedule: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /**
                 * @description Always `schedule`.
                 * @example schedule
                 */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["ScheduleId"];
                /**
                 * @description Its name.
                 * @example notify.digest
                 */
                name: string;
                /** @description Queue of its jobs. */
                queue: string;
                /** @description Kind of its jobs. */
                kind: string;
                /**
                 * @description Its cron expression; none when it fires once.
                 * @example 0 8 * * *
                 */
                cron?: string | null;
                /**
                 * @description The zone of the expression.
                 * @example Europe/Berlin
                 */
                timezone: string;
                /** @description Whether it will fire again. */
                enabled: boolean;
                next_run_at?: components["schemas"]["Micros"] | null;
                last_run_at?: components["schemas"]["Micros"] | null;
                last_job_id?: components["schemas"]["JobId"] | null;
                /**
                 * Format: int64
                 * @description How often it has fired.
                 */
                fired: number;
                /** @description When it was declared first. */
                created_at: components["schemas"]["Micros"];
                /** @description When it last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_String: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: string[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Submission: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["SubmissionId"];
                /**
                 * @description Always `submission`.
                 * @example submission
                 */
                object: string;
                /** @description The form. */
                form_id: components["schemas"]["FormId"];
                /**
                 * Format: int64
                 * @description The version that it answers.
                 */
                version: number;
                /**
                 * @description `completed` or `spam`.
                 * @example completed
                 */
                state: string;
                /** @description The answers by the keys of that version. */
                values: {
                    [key: string]: unknown;
                };
                /** @description The answers as a person reads them, in order. */
                fields: components["schemas"]["SubmissionField"][];
                /**
                 * @description Who handed it in.
                 * @example anonymous
                 */
                actor: string;
                /** @description What the client called itself. */
                user_agent: string;
                /** @description The trace of everything it led to. */
                trace_id: string;
                /**
                 * Format: int64
                 * @description Revision.
                 */
                rev: number;
                /** @description When it was handed in. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Tenant: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `tenant`. */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["TenantId"];
                /** @description Its name, the same for the pair. */
                name: string;
                /** @description Live or test. */
                mode: components["schemas"]["Mode"];
                /** @description The organisation that owns it. */
                organisation_id: components["schemas"]["OrganisationId"];
                /** @description The other half of the pair. */
                twin_id: components["schemas"]["TenantId"];
                /** @description Settings, as systems define them. */
                settings: Record<string, never>;
                /** @description Origins whose pages may call the API. */
                allowed_origins: string[];
                /**
                 * Format: int64
                 * @description Its revision.
                 */
                rev: number;
                /** @description When it was made. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_TokenIssuer: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Always `token_issuer`. */
                object: string;
                /** @description Its id. */
                id: components["schemas"]["IssuerId"];
                /** @description A name for people. */
                name: string;
                /** @description The `iss` claim of its tokens. */
                issuer: string;
                /** @description Where its keys are published. */
                jwks_url: string;
                /** @description What its users may do. */
                scopes: string[];
                /**
                 * Format: int64
                 * @description Its revision.
                 */
                rev: number;
                /** @description When it was added. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A page, as every list answers it. */
        ListBody_Workflow: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The entries. */
            data: {
                /** @description Id. */
                id: components["schemas"]["WorkflowId"];
                /**
                 * @description Always `workflow`.
                 * @example workflow
                 */
                object: string;
                /** @description Your own key. */
                external_id?: string | null;
                /** @description Name. */
                name: string;
                /** @description Whether events start it. */
                enabled: boolean;
                /** @description What starts it. */
                trigger: components["schemas"]["WorkflowTrigger"];
                /** @description What it does, in order. */
                steps: components["schemas"]["WorkflowStep"][];
                /**
                 * Format: int64
                 * @description Revision.
                 */
                rev: number;
                /** @description When it was created. */
                created_at: components["schemas"]["Micros"];
                /** @description When it was last changed. */
                updated_at: components["schemas"]["Micros"];
            }[];
            /** @description Whether there are more. */
            has_more: boolean;
            /** @description Where they begin. */
            next_cursor?: string | null;
        };
        /** @description A mail in the file outbox. */
        Mail: {
            /** @description Id. */
            id: components["schemas"]["MailId"];
            /**
             * @description Always `mail`.
             * @example mail
             */
            object: string;
            /** @description The notification that it is. */
            notification_id: components["schemas"]["NotificationId"];
            /** @description Sender. */
            from: string;
            /** @description Receiver. */
            to: string;
            /** @description Subject. */
            subject: string;
            /** @description The trace it belongs to. */
            trace_id: string;
            /** @description When it was written. */
            created_at: components["schemas"]["Micros"];
        };
        /** @description A mail with its parts. */
        MailDetail: components["schemas"]["Mail"] & {
            /** @description Plain text. */
            text: string;
            /** @description HTML part. */
            html?: string | null;
            /** @description The file as it stands; absent when it was removed or is on another machine. */
            raw?: string | null;
        };
        /** @example eml_01kb3h5f8xe7ksq2v9w6m4t0rd */
        MailId: string;
        /** @description The caller, as the credential says. */
        Me: {
            /**
             * @description Always `me`.
             * @example me
             */
            object: string;
            /**
             * @description `key:…`, `member:…`, `user:…`.
             * @example key:key_01kb3h5f8xe7ksq2v9w6m4t0rd
             */
            actor: string;
            /**
             * @description Kind of credential: `secret_key`, `publishable_key`, `personal_key`, `session` or `user_token`.
             * @example secret_key
             */
            credential: string;
            /** @description The tenant. */
            tenant_id: components["schemas"]["TenantId"];
            /** @description Live or test. */
            mode: components["schemas"]["Mode"];
            role?: components["schemas"]["Role"] | null;
            /** @description What the caller may do. */
            scopes: string[];
            /**
             * @description The version that this request was answered in.
             * @example 2026-11-01
             */
            version: string;
        };
        /** @description A member of an organisation. */
        Member: {
            /** @description Always `member`. */
            object: string;
            /** @description Their id. */
            id: components["schemas"]["MemberId"];
            /** @description Their address. */
            email: string;
            /** @description Their name. */
            name: string;
            /** @description Their role in this organisation. */
            role: components["schemas"]["Role"];
            last_login_at?: components["schemas"]["Micros"] | null;
            /**
             * Format: int64
             * @description The membership's revision.
             */
            rev: number;
            /** @description When they joined. */
            created_at: components["schemas"]["Micros"];
            /** @description When the membership was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @example mbr_01kb3h5f8xe7ksq2v9w6m4t0rd */
        MemberId: string;
        /** @description A message of a conversation. `parts` is what AI SDK clients read. */
        MessageObject: {
            /**
             * @description Its id.
             * @example msg_01kb3q5n8e7x9a2c4d6f8g0h1j
             */
            id: string;
            /**
             * @description Always `message`.
             * @example message
             */
            object: string;
            /** @description `user` or `assistant`. */
            role: string;
            /** @description The text. */
            text: string;
            /** @description The text as AI SDK's UI message has it. */
            parts: Record<string, never>[];
            /** @description The run that it belongs to. */
            run_id?: string | null;
            /** @description Passages the answer draws on. */
            sources: components["schemas"]["SourceObject"][];
            /** @description Quotations in it. */
            citations: components["schemas"]["CitationObject"][];
            /** @description Questions to ask next. */
            suggestions: string[];
            /** @description Whether every statement stands in the content. */
            grounded: boolean;
            /** @description Whether the content does not hold the answer. */
            refused: boolean;
            /** @description How it ended: `stop`, `length`, `content-filter`, `error`, `other`; null while it is being written. */
            finish_reason?: string | null;
            /** @description What went wrong. */
            failure?: string | null;
            /** @description Why it is not a language model's answer although one is configured. */
            degraded?: string | null;
            /**
             * Format: int64
             * @description The reader's rating.
             */
            rating?: number | null;
            /** @description The reader's reason. */
            reason?: string | null;
            /** @description When it was written. */
            created_at: string;
        };
        /**
         * Format: date-time
         * @example 2026-01-31T12:00:00.000Z
         */
        Micros: string;
        /**
         * @description Whether a tenant's effects are real.
         * @enum {string}
         */
        Mode: "live" | "test";
        /** @description The models, as OpenAI lists them. */
        ModelList: {
            /**
             * @description Always `list`.
             * @example list
             */
            object: string;
            /** @description The models. */
            data: components["schemas"]["ModelObject"][];
        };
        /** @description A model, as OpenAI lists it. */
        ModelObject: {
            /**
             * @description Its id.
             * @example site-assistant
             */
            id: string;
            /**
             * @description Always `model`.
             * @example model
             */
            object: string;
            /**
             * Format: int64
             * @description Always 0: models here have no date of birth.
             */
            created: number;
            /**
             * @description Always `plinth`.
             * @example plinth
             */
            owned_by: string;
        };
        /** @description A key that was just made. `secret` is shown this once and kept nowhere. */
        NewApiKey: components["schemas"]["ApiKey"] & {
            /**
             * @description The key itself, for `Authorization: Bearer`.
             * @example plk_test_3kTMd0a1b2C3_…
             */
            secret: string;
        };
        /** @description Somebody to invite. */
        NewInvite: {
            /** @description Their address. */
            email: string;
            /** @description The role they will have. */
            role: components["schemas"]["Role"];
        };
        /** @description An invitation that was just made, with its link: the one time it can be read. */
        NewInviteBody: components["schemas"]["Invite"] & {
            /**
             * @description The link to send. Whoever opens it first is in.
             * @example https://app.example.com/console/#invite=…
             */
            url: string;
        };
        /** @description An issuer to trust. */
        NewIssuer: {
            /** @description A name for people. */
            name: string;
            /** @description The `iss` claim of its tokens, exactly. */
            issuer: string;
            /** @description Where its keys are published (https). */
            jwks_url: string;
            /**
             * @description What its users may do: a token may carry fewer of these scopes, never more. All that end users may have if
             *     left out.
             */
            scopes?: string[] | null;
        };
        /** @description A key to be made. */
        NewKey: {
            /** @description What it is for. */
            kind: components["schemas"]["KeyKind"];
            /** @description A name for people. */
            name: string;
            /** @description Scopes or wildcards (`forms:*`). Required for secret and personal keys, not allowed for publishable ones. */
            scopes?: string[];
            /** @description Addresses or ranges it may be used from; empty for anywhere. */
            allowed_ips?: string[];
            /** @description Origins it may be used from; empty for any (publishable keys: the tenant's). */
            allowed_origins?: string[];
            expires_at?: components["schemas"]["Micros"] | null;
        };
        /** @description A token to mint for an end user. */
        NewUserToken: {
            /** @description The tenant's own id of the user. */
            user_id: string;
            /**
             * Format: int64
             * @description How long it works, 1 to 3600 seconds; 900 if left out.
             */
            expires_in_seconds?: number | null;
            /** @description What the user may do; everything that end users may have if left out. */
            scopes?: string[] | null;
            /** @description Realtime channels that the user's connections are subscribed to. */
            channels?: string[];
            /** @description Realtime channels, or namespaces such as `preview:*`, that the user may subscribe to. */
            channel_patterns?: string[];
            /** @description Shown to others in presence. */
            info?: Record<string, never> | null;
        };
        /** @description A notification. */
        Notification: {
            /** @description Id. */
            id: components["schemas"]["NotificationId"];
            /**
             * @description Always `notification`.
             * @example notification
             */
            object: string;
            /** @description The workflow. */
            workflow_id: components["schemas"]["WorkflowId"];
            /**
             * Format: int64
             * @description Its revision when the notification was planned.
             */
            workflow_rev: number;
            /** @description The step. */
            step_id: string;
            /** @description The event that led to it. */
            event_id: components["schemas"]["EventId"];
            /**
             * @description `email` or `in_app`.
             * @example email
             */
            channel: string;
            /** @description `member:mbr_…` or `address:…`. */
            recipient: string;
            /**
             * @description `pending`, `retrying`, `sent` or `failed`.
             * @example sent
             */
            state: string;
            /** @description Who took it: the mail server's host, `outbox` or `inbox`. */
            provider?: string | null;
            /** @description Why the last attempt failed. */
            last_error?: string | null;
            job_id?: components["schemas"]["JobId"] | null;
            /** @description The trace it belongs to. */
            trace_id: string;
            /** @description When it was planned. */
            created_at: components["schemas"]["Micros"];
            /** @description When it last changed. */
            updated_at: components["schemas"]["Micros"];
            sent_at?: components["schemas"]["Micros"] | null;
        };
        /** @description What is delivered. */
        NotificationContent: {
            /** @description Subject. */
            subject: string;
            /** @description Plain text. */
            text: string;
            /** @description HTML part. */
            html?: string | null;
            /** @enum {string} */
            channel: "email";
        } | {
            /** @description Title. */
            title: string;
            /** @description Body. */
            body: string;
            /** @description Where it leads. */
            url?: string | null;
            /** @enum {string} */
            channel: "in_app";
        };
        /** @description A notification with its words and attempts. */
        NotificationDetail: components["schemas"]["Notification"] & {
            content?: components["schemas"]["NotificationContent"] | null;
            /** @description State of the job. */
            job_state?: string | null;
            /** @description Every attempt, in order. */
            attempts: components["schemas"]["DeliveryAttempt"][];
        };
        /** @example ntf_01kb3h5f8xe7ksq2v9w6m4t0rd */
        NotificationId: string;
        /** @description Credentials of a member. */
        OpenSession: {
            /**
             * @description Address.
             * @example ada@example.com
             */
            email: string;
            /**
             * Format: password
             * @description Password.
             */
            password: string;
        };
        /** @example org_01kb3h5f8xe7ksq2v9w6m4t0rd */
        OrganisationId: string;
        /** @description Live figures of a tenant. */
        Overview: {
            /**
             * @description Always `overview`.
             * @example overview
             */
            object: string;
            /** @description When they were taken. */
            at: components["schemas"]["Micros"];
            /** @description Version of the executable. */
            version: string;
            /**
             * Format: int64
             * @description How long this process has been running.
             */
            uptime_seconds: number;
            /**
             * @description `sqlite` or `postgres`.
             * @example sqlite
             */
            engine: string;
            /** @description Requests of the last hour. */
            requests: components["schemas"]["RequestFigures"];
            /** @description Submissions of the last day. */
            submissions: components["schemas"]["SubmissionFigures"];
            /** @description Jobs of the installation. */
            jobs: components["schemas"]["JobFigures"];
            /** @description The event log of the installation. */
            events: components["schemas"]["EventFigures"];
            /** @description The store of this process. */
            store: components["schemas"]["StoreFigures"];
            /** @description Realtime connections of this process. */
            realtime: components["schemas"]["RealtimeFigures"];
            /** @description Notifications of the last day. */
            deliveries: components["schemas"]["DeliveryFigures"];
        };
        /** @description An event that a consumer has put aside. */
        ParkedEvent: {
            /**
             * @description Always `parked_event`.
             * @example parked_event
             */
            object: string;
            /**
             * @description Its id: the event's and the consumer's.
             * @example evt_01kb3h5f8xe7ksq2v9w6m4t0rd.notify.workflows
             */
            id: string;
            /** @description The event. */
            event_id: components["schemas"]["EventId"];
            /** @description Its type. */
            event_type: string;
            /** @description Its subject. */
            subject: string;
            /** @description The consumer. */
            consumer: string;
            /**
             * @description `parked`, `held` (waits behind an earlier one of its subject) or `due` (is about to be tried again).
             * @example parked
             */
            state: string;
            /**
             * Format: int32
             * @description Tries so far.
             */
            attempts: number;
            /** @description Why the last one failed. */
            error?: string | null;
            /** @description When it was put aside. */
            parked_at: components["schemas"]["Micros"];
            /** @description Trace. */
            trace_id: string;
        };
        /** @description A parked event that is about to be tried again. */
        ParkedReplayed: {
            /**
             * @description Always `parked_event`.
             * @example parked_event
             */
            object: string;
            /** @description Its id. */
            id: string;
            /**
             * @description Always `due`.
             * @example due
             */
            state: string;
        };
        /** @description A value at a time. */
        Point: {
            /** @description When. */
            at: components["schemas"]["Micros"];
            /**
             * Format: double
             * @description How much.
             */
            value: number;
        };
        /** @description The document of a problem, as the OpenAPI contract shows it. */
        Problem: {
            /**
             * @description Page about this code, on this very server.
             * @example /docs/errors/validation_failed
             */
            type: string;
            /** @description Short title of the code. */
            title: string;
            /**
             * Format: int32
             * @description HTTP status.
             */
            status: number;
            /**
             * @description Stable name of what went wrong.
             * @example validation_failed
             */
            code: string;
            /** @description What happened and what to do. */
            detail: string;
            /** @description Where the request can be looked up. */
            instance: string;
            /** @description Id of the request. */
            request_id: string;
            /** @description Whether the same request may succeed later. */
            retryable: boolean;
            /** @description Every input at fault. */
            errors?: components["schemas"]["FieldError"][];
        };
        /** @description A publication. */
        PublishForm: {
            /** @description What changed. */
            note?: string;
        };
        /** @description The published form, as a renderer needs it. */
        PublishedForm: {
            /**
             * @description Always `published_form`.
             * @example published_form
             */
            object: string;
            /** @description The form. */
            form_id: components["schemas"]["FormId"];
            /**
             * Format: int64
             * @description Number of the version.
             */
            version: number;
            /** @description SHA-256 of the definition. */
            hash: string;
            /** @description The definition. */
            definition: components["schemas"]["Definition"];
        };
        /** @description A rate limit. */
        RateLimit: {
            /**
             * @description Its name in `RateLimit` and `RateLimit-Policy`.
             * @example tenant
             */
            policy: string;
            /**
             * Format: int32
             * @description Requests in a full bucket.
             */
            quota: number;
            /**
             * Format: int32
             * @description Milliseconds from empty to full.
             */
            window_ms: number;
            /** @description Whom it counts. */
            description: string;
        };
        /** @description Realtime. */
        RealtimeFigures: {
            /**
             * Format: int64
             * @description Open connections.
             */
            connections: number;
            /**
             * Format: int64
             * @description Channels.
             */
            channels: number;
        };
        /** @description A token for the console's realtime connection. */
        RealtimeToken: {
            /**
             * @description Always `realtime_token`.
             * @example realtime_token
             */
            object: string;
            /** @description The token. */
            token: string;
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            /** @description Channels that the connection hears. */
            channels: string[];
        };
        /** @description Which dead letters to replay. */
        ReplayDead: {
            /**
             * @description Of this queue; of all queues if left out.
             * @example mail
             */
            queue?: string | null;
            after?: components["schemas"]["JobId"] | null;
        };
        /** @description What was replayed. */
        ReplayedDead: {
            /**
             * Format: int32
             * @description Dead letters that wait to be tried again.
             */
            replayed: number;
            /**
             * Format: int32
             * @description Dead letters that cannot be replayed: their effect has expired, or another job has taken their place.
             */
            refused: number;
            /** @description Whether there are more than one call takes. */
            has_more: boolean;
        };
        /** @description A request as it is shown. */
        Request: {
            /**
             * @description Always `request`.
             * @example request
             */
            object: string;
            /** @description Id, as in `X-Request-Id`. */
            id: components["schemas"]["RequestId"];
            /**
             * @description Operation; none for pages.
             * @example create_form
             */
            operation?: string | null;
            /**
             * @description HTTP method.
             * @example POST
             */
            method: string;
            /**
             * @description Path, without the query.
             * @example /v1/forms
             */
            path: string;
            /**
             * Format: int64
             * @description HTTP status; 499 when the client went away first.
             * @example 201
             */
            status: number;
            problem?: components["schemas"]["RequestProblem"] | null;
            /**
             * Format: double
             * @description How long it took.
             * @example 1.83
             */
            duration_ms: number;
            /** @description Trace; see `GET /v1/traces/{trace_id}`. */
            trace_id: string;
            /** @description Span of the request in its trace. */
            span_id: string;
            /**
             * @description Who asked: `key:…`, `member:…`, `user:…`, `visitor:…` or `anonymous`.
             * @example key:key_01kb3h5f8xe7ksq2v9w6m4t0rd
             */
            actor: string;
            /** @description Address of the client. */
            client_ip: string;
            /** @description What the client called itself. */
            user_agent?: string | null;
            /** @description The caller's own id of the request. */
            client_request_id?: string | null;
            /** @description The caller's idempotency key. */
            idempotency_key?: string | null;
            /** @description Version of the contract. */
            version?: string | null;
            /** @description When it came. */
            created_at: components["schemas"]["Micros"];
        };
        /** @description Requests. */
        RequestFigures: {
            /**
             * Format: double
             * @description Over the last whole minutes.
             */
            per_second: number;
            /**
             * Format: double
             * @description Failed on our side, 0 to 1.
             */
            error_ratio: number;
            /**
             * Format: double
             * @description Median duration.
             */
            p50_ms: number;
            /**
             * Format: double
             * @description 99th percentile of the duration.
             */
            p99_ms: number;
            /** @description Requests a second, minute by minute. */
            series: components["schemas"]["Point"][];
            /** @description Errors a second, minute by minute. */
            error_series: components["schemas"]["Point"][];
            /** @description 99th percentile, minute by minute. */
            p99_series: components["schemas"]["Point"][];
        };
        /** @example req_01kb3h5f8xe7ksq2v9w6m4t0rd */
        RequestId: string;
        /** @description What a request was refused with. */
        RequestProblem: {
            /**
             * @description Stable name.
             * @example validation_failed
             */
            code: string;
            /** @description What happened, with the fields at fault. */
            detail: string;
        };
        /**
         * @description What a member may do in a tenant, from most to least.
         * @enum {string}
         */
        Role: "owner" | "admin" | "developer" | "viewer";
        /** @description How a key is replaced. */
        RotateKey: {
            /**
             * Format: int64
             * @description How long the old key goes on working: at most 30 days, 24 hours if left out.
             * @example 86400
             */
            overlap_seconds?: number | null;
        };
        /** @description How an answer came about. */
        RunObject: {
            /** @description Its id. */
            id: string;
            /**
             * @description Always `run`.
             * @example run
             */
            object: string;
            /** @description `admitted`, `generating`, `done`, `refused`, `stopped`, `failed` or `expired`. */
            state: string;
            /** @description Who answered. */
            provider: string;
            /** @description Which model. */
            model: string;
            /** @description The content it was answered from. */
            content_version: string;
            /** @description What kind of question it was taken for. */
            intent: string;
            /** @description Passages found with their scores, and how well they back the question. */
            retrieval: Record<string, never>;
            /**
             * Format: int64
             * @description Tokens read.
             */
            input_tokens: number;
            /**
             * Format: int64
             * @description Tokens written.
             */
            output_tokens: number;
            /**
             * Format: int64
             * @description What it cost, in millionths of a currency unit.
             */
            cost_micros: number;
            /**
             * Format: int64
             * @description Time to the first words.
             */
            ttft_ms?: number | null;
            /**
             * Format: int64
             * @description Time to the end.
             */
            total_ms?: number | null;
            /** @description What went wrong. */
            failure?: string | null;
            /** @description The trace it belongs to. */
            trace_id: string;
            /** @description When it was admitted. */
            created_at: string;
            /** @description When it ended. */
            finished_at?: string | null;
        };
        /** @description A new draft. */
        SaveFormDraft: {
            /** @description The whole definition. May be incomplete; the answer says what keeps it from being published. */
            definition: components["schemas"]["Definition"];
        };
        /** @description Something that happens by the clock. */
        Schedule: {
            /**
             * @description Always `schedule`.
             * @example schedule
             */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["ScheduleId"];
            /**
             * @description Its name.
             * @example notify.digest
             */
            name: string;
            /** @description Queue of its jobs. */
            queue: string;
            /** @description Kind of its jobs. */
            kind: string;
            /**
             * @description Its cron expression; none when it fires once.
             * @example 0 8 * * *
             */
            cron?: string | null;
            /**
             * @description The zone of the expression.
             * @example Europe/Berlin
             */
            timezone: string;
            /** @description Whether it will fire again. */
            enabled: boolean;
            next_run_at?: components["schemas"]["Micros"] | null;
            last_run_at?: components["schemas"]["Micros"] | null;
            last_job_id?: components["schemas"]["JobId"] | null;
            /**
             * Format: int64
             * @description How often it has fired.
             */
            fired: number;
            /** @description When it was declared first. */
            created_at: components["schemas"]["Micros"];
            /** @description When it last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @example sch_01kb3h5f8xe7ksq2v9w6m4t0rd */
        ScheduleId: string;
        /** @description Whether the installation waits for its first owner. */
        Setup: {
            /** @description Whether it does. */
            needed: boolean;
        };
        /** @description A figure of the site's strip. */
        SiteFigure: {
            /**
             * @description What it is.
             * @example Commit latency, p99
             */
            label: string;
            /**
             * @description How much, ready to be shown.
             * @example 1.8 ms
             */
            value: string;
        };
        /** @description The figures of the site's strip. */
        SiteFigures: {
            /**
             * @description Always `site_figures`.
             * @example site_figures
             */
            object: string;
            /** @description In the order of the strip. */
            figures: components["schemas"]["SiteFigure"][];
        };
        /** @description A passage an answer draws on. */
        SourceObject: {
            /**
             * Format: int64
             * @description Its number in the text.
             */
            n: number;
            /** @description The passage's id, which is its anchor in the page. */
            source_id: string;
            /** @description Where to read it. */
            url: string;
            /** @description Its headings. */
            title: string;
            /** @description Its own words, cut short. */
            quote: string;
        };
        /** @description Which run is meant. */
        StopBody: {
            /**
             * @description Only this run; a run that has ended is left alone. The one in progress when absent.
             * @example run_01kb3q5n8e7x9a2c4d6f8g0h1j
             */
            run_id?: string | null;
        };
        /** @description The store. */
        StoreFigures: {
            /**
             * Format: double
             * @description Median duration of a commit.
             */
            commit_p50_ms: number;
            /**
             * Format: double
             * @description 99th percentile of the duration of a commit.
             */
            commit_p99_ms: number;
            /**
             * Format: double
             * @description Units of work in a commit, on average.
             */
            units_per_commit: number;
            /**
             * Format: int64
             * @description Units that wait.
             */
            queue: number;
        };
        /** @description A submission. */
        Submission: {
            /** @description Id. */
            id: components["schemas"]["SubmissionId"];
            /**
             * @description Always `submission`.
             * @example submission
             */
            object: string;
            /** @description The form. */
            form_id: components["schemas"]["FormId"];
            /**
             * Format: int64
             * @description The version that it answers.
             */
            version: number;
            /**
             * @description `completed` or `spam`.
             * @example completed
             */
            state: string;
            /** @description The answers by the keys of that version. */
            values: {
                [key: string]: unknown;
            };
            /** @description The answers as a person reads them, in order. */
            fields: components["schemas"]["SubmissionField"][];
            /**
             * @description Who handed it in.
             * @example anonymous
             */
            actor: string;
            /** @description What the client called itself. */
            user_agent: string;
            /** @description The trace of everything it led to. */
            trace_id: string;
            /**
             * Format: int64
             * @description Revision.
             */
            rev: number;
            /** @description When it was handed in. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @description An answer as a person reads it. */
        SubmissionField: {
            /** @description Key of the field. */
            key: string;
            /** @description Its label. */
            label: string;
            /** @description Its type. */
            type: string;
            /** @description The answer. */
            display: string;
        };
        /** @description Submissions. */
        SubmissionFigures: {
            /**
             * Format: int64
             * @description In the last 24 hours.
             */
            today: number;
            /**
             * Format: int64
             * @description In the 24 hours before.
             */
            yesterday: number;
            /** @description Hour by hour. */
            series: components["schemas"]["Point"][];
        };
        /** @example sub_01kb3h5f8xe7ksq2v9w6m4t0rd */
        SubmissionId: string;
        /** @description The tenant to work in. */
        SwitchTenant: {
            /** @description One of the session's `tenants`. */
            tenant_id: string;
        };
        /** @description A tenant: one project in live or in test mode. */
        Tenant: {
            /** @description Always `tenant`. */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["TenantId"];
            /** @description Its name, the same for the pair. */
            name: string;
            /** @description Live or test. */
            mode: components["schemas"]["Mode"];
            /** @description The organisation that owns it. */
            organisation_id: components["schemas"]["OrganisationId"];
            /** @description The other half of the pair. */
            twin_id: components["schemas"]["TenantId"];
            /** @description Settings, as systems define them. */
            settings: Record<string, never>;
            /** @description Origins whose pages may call the API. */
            allowed_origins: string[];
            /**
             * Format: int64
             * @description Its revision.
             */
            rev: number;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @description A tenant to switch to. */
        TenantChoice: {
            /** @description Its id. */
            id: components["schemas"]["TenantId"];
            /** @description Its name. */
            name: string;
            /** @description `live` or `test`. */
            mode: string;
            /** @description The organisation. */
            organisation: string;
            /** @description The member's role there: `owner`, `admin`, `developer` or `viewer`. */
            role: string;
        };
        /** @example tnt_01kb3h5f8xe7ksq2v9w6m4t0rd */
        TenantId: string;
        /** @description A change of a tenant: what is absent stays. */
        TenantPatch: {
            /** @description A new name. */
            name?: string | null;
            /** @description Settings to set; `null` removes one (JSON Merge Patch, RFC 7396, one level deep). */
            settings?: Record<string, never> | null;
            /** @description The whole list of origins. */
            allowed_origins?: string[] | null;
        };
        /** @description A trusted issuer. */
        TokenIssuer: {
            /** @description Always `token_issuer`. */
            object: string;
            /** @description Its id. */
            id: components["schemas"]["IssuerId"];
            /** @description A name for people. */
            name: string;
            /** @description The `iss` claim of its tokens. */
            issuer: string;
            /** @description Where its keys are published. */
            jwks_url: string;
            /** @description What its users may do. */
            scopes: string[];
            /**
             * Format: int64
             * @description Its revision.
             */
            rev: number;
            /** @description When it was added. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @description Everything that one cause led to. */
        Trace: {
            /**
             * @description Always `trace`.
             * @example trace
             */
            object: string;
            /** @description The trace. */
            trace_id: components["schemas"]["TraceId"];
            /** @description When its first step began. */
            started_at: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description From the first beginning to the last end known.
             */
            duration_ms: number;
            /** @description The steps by the time they began. */
            spans: components["schemas"]["TraceSpan"][];
        };
        TraceId: string;
        /** @description One step of a trace. */
        TraceSpan: {
            /** @description Its id. */
            id: string;
            /** @description The step that caused it. */
            parent_id?: string | null;
            /**
             * @description `request`, `command`, `event`, `consumer`, `job`, `attempt` or `publication`.
             * @example job
             */
            kind: string;
            /**
             * @description The operation, event type, consumer or job kind.
             * @example notify.send_email
             */
            name: string;
            /**
             * @description `ok`, `error`, `running` or `waiting`.
             * @example ok
             */
            status: string;
            /** @description When it began. */
            started_at: components["schemas"]["Micros"];
            ended_at?: components["schemas"]["Micros"] | null;
            /** @description What else is known. */
            attributes: Record<string, never>;
        };
        /** @description A conversation with its messages. */
        TranscriptObject: components["schemas"]["ConversationObject"] & {
            /** @description Its messages in order. */
            messages: components["schemas"]["MessageObject"][];
        };
        /** @description Changes to a form. What is absent stays. */
        UpdateForm: {
            /** @description New name. */
            name?: string | null;
            state?: components["schemas"]["FormState"] | null;
            /** @description New notes, replacing the old. */
            metadata?: {
                [key: string]: string;
            } | null;
        };
        /** @description Changes to a member. */
        UpdateMember: {
            /** @description The new role. */
            role: components["schemas"]["Role"];
        };
        /** @description Changes to a workflow. What is absent stays. */
        UpdateWorkflow: {
            /** @description New name. */
            name?: string | null;
            /** @description Whether events start it. */
            enabled?: boolean | null;
            trigger?: components["schemas"]["WorkflowTrigger"] | null;
            /** @description New steps, replacing the old. */
            steps?: components["schemas"]["WorkflowStep"][] | null;
        };
        /** @description A minted token. It is meant to be handed on to the user's browser, so it is shown like any other field. */
        UserToken: {
            /** @description Always `user_token`. */
            object: string;
            /** @description The token. */
            token: string;
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
        };
        /** @description A workflow. */
        Workflow: {
            /** @description Id. */
            id: components["schemas"]["WorkflowId"];
            /**
             * @description Always `workflow`.
             * @example workflow
             */
            object: string;
            /** @description Your own key. */
            external_id?: string | null;
            /** @description Name. */
            name: string;
            /** @description Whether events start it. */
            enabled: boolean;
            /** @description What starts it. */
            trigger: components["schemas"]["WorkflowTrigger"];
            /** @description What it does, in order. */
            steps: components["schemas"]["WorkflowStep"][];
            /**
             * Format: int64
             * @description Revision.
             */
            rev: number;
            /** @description When it was created. */
            created_at: components["schemas"]["Micros"];
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Micros"];
        };
        /** @description Who gets something. */
        WorkflowAudience: {
            /** @description Members of the tenant. */
            members: components["schemas"]["WorkflowMembers"];
        } | {
            /** @description One address. E-mail only. */
            address: string;
        };
        /** @description A condition on the event's data. */
        WorkflowCondition: {
            /**
             * @description JSON Pointer into the event's data.
             * @example /form_key
             */
            pointer: string;
            /** @description The value that must stand there. */
            equals: unknown;
        };
        /** @example wf_01kb3h5f8xe7ksq2v9w6m4t0rd */
        WorkflowId: string;
        /**
         * @description Which members.
         * @enum {string}
         */
        WorkflowMembers: "all" | "admins";
        /** @description A step: one channel, some recipients, the words. */
        WorkflowStep: {
            /**
             * @description Name of the step, unique in the workflow.
             * @example mail_team
             */
            id: string;
            /** @description Who gets it. */
            to: components["schemas"]["WorkflowAudience"];
            /** @description Template of the subject. */
            subject: string;
            /** @description Template of the plain text. */
            text: string;
            /** @description Template of the HTML part; values are escaped. */
            html?: string | null;
            /** @enum {string} */
            channel: "email";
        } | {
            /**
             * @description Name of the step, unique in the workflow.
             * @example tell_team
             */
            id: string;
            /** @description Who gets it. */
            to: components["schemas"]["WorkflowAudience"];
            /** @description Template of the title. */
            title: string;
            /** @description Template of the body. */
            body: string;
            /** @description Template of where it leads, a path in the console. */
            url?: string | null;
            /** @enum {string} */
            channel: "in_app";
        };
        /** @description What starts a workflow. */
        WorkflowTrigger: {
            /**
             * @description Kind of the event.
             * @example forms.submission.completed
             */
            event: string;
            /** @description All of these must hold. None: every such event. */
            conditions?: components["schemas"]["WorkflowCondition"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_forms: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /** @description Only forms in this state. */
                state?: "active" | "archived";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of forms. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Form"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_form: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateForm"];
            };
        };
        responses: {
            /** @description The new form. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Form"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_form: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The form. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Form"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_form: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_form: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateForm"];
            };
        };
        responses: {
            /** @description The changed form. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Form"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_form_draft: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The draft. Its ETag goes into If-Match of a change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormDraft"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    save_form_draft: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the draft that was changed. Required: without it the answer is 428. */
                "If-Match"?: string | null;
            };
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SaveFormDraft"];
            };
        };
        responses: {
            /** @description The saved draft. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormDraft"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    publish_form: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the draft to publish. Required: without it the answer is 428. */
                "If-Match"?: string | null;
            };
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PublishForm"];
            };
        };
        responses: {
            /** @description The new version. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormVersion"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_form_versions: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of versions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_FormVersion"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_form_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
                /**
                 * @description Number of the version.
                 * @example 1
                 */
                number: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormVersion"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_published_form: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example ext:contact
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The published definition. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedForm"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_submission: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example ext:contact
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSubmission"];
            };
        };
        responses: {
            /** @description The submission. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submission"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_submissions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the form, or `ext:` and your own key.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_submissions: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /**
                 * @description Only answers to this form.
                 * @example frm_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                form_id?: string;
                /** @description `completed` or `spam`. Completed ones when absent. */
                state?: "completed" | "spam";
                /** @description Only answers that contain this text. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of submissions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Submission"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_submission: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the submission.
                 * @example sub_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The submission. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submission"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_submission: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the submission.
                 * @example sub_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_workflows: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of workflows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Workflow"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_workflow: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWorkflow"];
            };
        };
        responses: {
            /** @description The new workflow. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_workflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the workflow, or `ext:` and your own key.
                 * @example ext:contact
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            /** @description You have it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_workflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the workflow, or `ext:` and your own key.
                 * @example ext:contact
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_workflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the workflow that was changed. Required: without it the answer is 428. */
                "If-Match"?: string | null;
            };
            path: {
                /**
                 * @description Id of the workflow, or `ext:` and your own key.
                 * @example ext:contact
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateWorkflow"];
            };
        };
        responses: {
            /** @description The changed workflow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_notifications: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /** @description Only those in this state. */
                state?: "pending" | "retrying" | "sent" | "failed";
                /** @description Only those of this channel. */
                channel?: "email" | "in_app";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of notifications. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Notification"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_notification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the notification.
                 * @example ntf_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The notification. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationDetail"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_notification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the notification.
                 * @example ntf_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is queued again. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notification"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_inbox: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /** @description Only items not read yet. */
                unread?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of items. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_InboxItem"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_inbox_summary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How full it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxSummary"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_inbox_item: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the item.
                 * @example inb_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxItem"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_all_inbox_items: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How full it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxSummary"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_mails: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of mails. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Mail"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the mail.
                 * @example eml_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mail. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailDetail"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    chat_with_assistant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatBody"];
            };
        };
        responses: {
            /** @description The answer: a stream, or one message. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                    "application/json": components["schemas"]["MessageObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_assistant_stream: {
        parameters: {
            query?: {
                /** @description A run that has finished within the last ten minutes, or the one in progress. */
                run?: string;
                /** @description Only what follows this sequence number. The `Last-Event-ID` header does the same. */
                after?: number;
            };
            header?: {
                /** @description Sequence number of the last frame received. */
                "Last-Event-ID"?: number;
            };
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description Nothing to follow. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop_assistant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
            };
            cookie?: never;
        };
        /** @description May be left out. */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["StopBody"] | null;
            };
        };
        responses: {
            /** @description It is being stopped, or has ended. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_assistant_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The conversation with its messages. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranscriptObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_assistant_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rate_assistant_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
                /**
                 * @description The answer.
                 * @example msg_01kb3q5n8e7x9a2c4d6f8g0h1j
                 */
                message_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FeedbackBody"];
            };
        };
        responses: {
            /** @description The rated answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    request_assistant_handover: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation, by our id or the client's own.
                 * @example chat-7f3a
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HandoverBody"];
            };
        };
        responses: {
            /** @description The members are told. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HandoverObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_assistant_suggestions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The questions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_String"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_assistant_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The configuration. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_assistant_conversations: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of conversations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_ConversationObject"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_assistant_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The conversation.
                 * @example cnv_01kb3q5n8e7x9a2c4d6f8g0h1j
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The conversation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_chat_completion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompletionBody"];
            };
        };
        responses: {
            /** @description The completion, or its stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                    "text/event-stream": unknown;
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The models. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_site_figures: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteFigures"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether it does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setup"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    complete_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompleteSetup"];
            };
        };
        responses: {
            /** @description The owner's session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is signed in, and where. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenSession"];
            };
        };
        responses: {
            /** @description The session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    switch_tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchTenant"];
            };
        };
        responses: {
            /** @description The session in its new tenant. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_invite: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptInviteBody"];
            };
        };
        responses: {
            /** @description The new member's session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_api_keys: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_ApiKey"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "kind": "secret",
                 *       "name": "Order service",
                 *       "scopes": [
                 *         "forms:*"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description The new key. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the key.
                 * @example key_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the key.
                 * @example key_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It no longer works. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotate_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the key.
                 * @example key_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateKey"];
            };
        };
        responses: {
            /** @description The successor. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_members: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Member"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invite_member: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.com",
                 *       "role": "developer"
                 *     }
                 */
                "application/json": components["schemas"]["NewInvite"];
            };
        };
        responses: {
            /** @description The invitation. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewInviteBody"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the member.
                 * @example mbr_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the member.
                 * @example mbr_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are no longer a member. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the member.
                 * @example mbr_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateMember"];
            };
        };
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_invites: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of invitations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Invite"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_invite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the invitation.
                 * @example inv_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its link no longer works. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tenants: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of tenants. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Tenant"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTenant"];
            };
        };
        responses: {
            /** @description The live tenant. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller's tenant. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_tenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "allowed_origins": [
                 *         "https://app.example.com"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["TenantPatch"];
            };
        };
        responses: {
            /** @description The tenant. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_user_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "user_id": "customer-42",
                 *       "expires_in_seconds": 900
                 *     }
                 */
                "application/json": components["schemas"]["NewUserToken"];
            };
        };
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserToken"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_realtime_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RealtimeToken"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_jwks: {
        parameters: {
            query?: {
                /**
                 * @description The tenant; the host's if left out.
                 * @example tnt_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": []
                     *     }
                     */
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_token_issuers: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of issuers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_TokenIssuer"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_token_issuer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Our login",
                 *       "issuer": "https://login.example.com/",
                 *       "jwks_url": "https://login.example.com/.well-known/jwks.json"
                 *     }
                 */
                "application/json": components["schemas"]["NewIssuer"];
            };
        };
        responses: {
            /** @description The issuer. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenIssuer"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_token_issuer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the issuer.
                 * @example iss_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The issuer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenIssuer"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_token_issuer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the issuer.
                 * @example iss_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit_entries: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /** @description Who, exactly: `member:mbr_…`. */
                actor?: string;
                /**
                 * @description What, or the beginning of it: `identity.key`.
                 * @example identity.key
                 */
                action?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_AuditEntry"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description Events of this type.
                 * @example forms.submission.completed
                 */
                type?: string;
                /** @description Events with this subject. */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Event"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the event.
                 * @example evt_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_parked_events: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of parked events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_ParkedEvent"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_parked_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the parked event.
                 * @example evt_01kb3h5f8xe7ksq2v9w6m4t0rd.notify.workflows
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is about to be tried. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParkedReplayed"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /**
                 * @description Jobs in this state; `dead` gives the dead letters.
                 * @example dead
                 */
                state?: string;
                /** @description Jobs of this queue. */
                queue?: string;
                /** @description Jobs of this kind. */
                kind?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of jobs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Job"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job.
                 * @example job_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job.
                 * @example job_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It waits to be tried. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the job.
                 * @example job_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is cancelled, or asked to stop. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_dead_jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayDead"];
            };
        };
        responses: {
            /** @description What was replayed. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayedDead"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_schedules: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of schedules. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Schedule"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_trace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The trace: 32 hexadecimal digits.
                 * @example 4bf92f3577b34da6a3ce929d0e0e4736
                 */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The timeline. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trace"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_requests: {
        parameters: {
            query?: {
                /** @description Most entries to return. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                order?: "asc" | "desc";
                /**
                 * @description A status (`404`), a class (`4xx`) or `error` for everything from 400.
                 * @example 4xx
                 */
                status?: string;
                /**
                 * @description An operation.
                 * @example create_form
                 */
                operation?: string;
                /** @description Part of the path, the actor, the code, the error, an id or a trace. Looks at the newest 20 000 requests. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListBody_Request"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_request: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the request, as in `X-Request-Id`.
                 * @example req_01kb3h5f8xe7ksq2v9w6m4t0rd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_limits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            /** @description What went wrong: see `code`, and the page that `type` points at. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
