// Generated from coordinator/openapi.json by `npm run api`.

export interface paths {
    "/alerts/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is and was on its way to destinations, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those to the destination of this id. */
                    destination?: string;
                    /** @description Only those that stand there: `waiting`, `delivered` or `given_up`. */
                    state?: components["schemas"]["DeliveryState"];
                    /** @description Those older than the one of this id: the `next` of the page before. */
                    before?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/deliveries/{delivery}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One delivery, with what its last try was answered with. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    delivery: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/deliveries/{delivery}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a delivery again from the beginning, under its id. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    delivery: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/destinations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's destinations, by name. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DestinationItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a destination: a webhook, Slack's incoming webhook, or addresses for mail. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DestinationWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Made"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/destinations/{destination}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One destination. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DestinationItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change what is sent; the rest stays, secrets too. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DestinationWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DestinationItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Remove a destination, with all that is and was on its way to it. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/destinations/{destination}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a test, once and now: what came of it is the answer. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    destination: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was changed in the whole installation, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Entries that are older than the one of this id. */
                    before?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditEntry"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/x-www-form-urlencoded": components["schemas"]["SignIn"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Tokens"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign out: no token of this session counts any more. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who calls, and where they belong. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How people sign in to this installation. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Methods"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the other service sends the browser back to: it goes on to its page, with a ticket. Both count once, in this browser. */
        get: {
            parameters: {
                query: {
                    state: string;
                    code?: string;
                    /** @description Why there is no code. */
                    error?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                303: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/oidc/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sign in through the OpenID Connect service of this installation: a browser is sent there. */
        get: {
            parameters: {
                query?: {
                    /** @description The page of this service to come back to, with `?ticket=` behind it: `/login` where it is left out. */
                    next?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                303: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/oidc/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange the ticket of a sign-in through another service for tokens; in the browser that signed in, once. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Tokens"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change one's password; all one's other sessions end. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewPassword"];
                };
            };
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange a refresh token for new tokens; each counts once. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Refresh"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Tokens"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make an account, with an organization of one's own or in that of an invitation. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Registration"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Tokens"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The backups in the storage, the newest first. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Backup"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /**
         * Copy the metadata database, as it is at one moment, into `etl-backup` of the storage; the service goes on meanwhile. Secrets
         *     stay sealed in it, and neither the key that opens them nor uploaded files are there. One that takes longer than the call
         *     may is listed once it is whole. `flowetl backup restore` takes it into an empty installation.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Backup"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/backups/{backup}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One backup. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    backup: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Backup"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        /** Delete a backup. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    backup: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/backups/{backup}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The content of a backup, or the part of it that the header `Range` asks for. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    range?: string | null;
                };
                path: {
                    backup: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What pipelines can be made of: kinds of block, and kinds of system with the settings of their connections. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CatalogueView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's connections, last changed first. Where there are more, the header `Link` says where. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those of this type, under any of its names. */
                    type?: string;
                    /** @description The same. */
                    db_type?: string;
                    /** @description Only those that are said to be this: `source`, `destination` or `both`. */
                    direction?: string;
                    /** @description Only those in this folder; empty: in none. */
                    folder?: string;
                    /** @description Only those with this in their name or settings. */
                    search?: string;
                    /** @description Those that come behind the one of this id. */
                    after?: string;
                    /** @description How many at most: never more than 1000, which it is where it is left out. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectionView"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Keep a connection. Its secrets are sealed, and never shown again. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ConnectionWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectionView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All connections as one document, without their secrets. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Exported"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** All connections as one document, with their secrets under a passphrase. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ExportWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Exported"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep the connections of such a document, each by itself. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Import"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Imported"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a connection before it is kept, or changed where its `id` is sent: an executor really signs in, within 5 s. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ConnectionWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TestAnswer"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One connection, with the pipelines that use it. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectionDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change what is sent; the rest stays, and secrets do where `encrypted_value` is sent for them. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ConnectionWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectionView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /**
         * Delete a connection that no pipeline uses, or any with `force`. Runs that were begun with it fail where they need its
         *     secrets again.
         */
        delete: {
            parameters: {
                query?: {
                    /** @description Also while pipelines use it, which fail then. */
                    force?: boolean;
                };
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/discover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How it stands with looking, how old what is known is, and how it differs from the look before. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LookView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /**
         * Look at what lies behind a connection: an executor reads the system's catalogue, in the background. One look at a time: who
         *     asks meanwhile is told of the one that is under way.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LookView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/schemas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The schemas that were found behind a connection. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Schemas"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tables that were found behind a connection, by schema and name. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those with this in `schema.name`. */
                    search?: string;
                    /** @description Only those of this schema. */
                    schema?: string;
                    /** @description The `next` of the page before. */
                    cursor?: string;
                    /** @description How many at most: 100 where it is left out, never more than 1000. */
                    limit?: number;
                };
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TablePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/tables/{schema}/{table}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One table with its columns and keys. In the path `/` is written `%2F`. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                    schema: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TableDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/tables/{schema}/{table}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The first rows of a table, read by an executor in a transaction that cannot write, within 10 s and 1 MiB. */
        get: {
            parameters: {
                query?: {
                    /** @description 100 where it is left out, which is the most. */
                    limit?: number;
                };
                header?: never;
                path: {
                    connection: string;
                    schema: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RowsView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a connection, and keep what came of it. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    connection: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TestAnswer"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dashboard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How an organization's runs, pipelines and connections stand, and what comes next. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Dashboard"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens in the organization. With `Accept: text/event-stream` it is told while it happens, as server-sent events, from
         *     the number `after` or that of the header `Last-Event-ID` on: first an event `hello` with the number it begins after, then
         *     each once, and between them `run.progress` with counters, which have no number. An event `over` says why nothing more
         *     comes. Otherwise what is in the log is answered at once. 410 means that not all since then is kept: look at everything anew.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Events of greater numbers; without it, those from now on. */
                    after?: number;
                    /** @description How many at most, where it is no stream: 100 where it is left out, never more than 1000. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EventPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/executors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The executors that are alive. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ExecutorItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/executors/{executor}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One executor. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    executor: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ExecutorDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/executors/{executor}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take an executor out of work: it takes nothing new, finishes what it has, and ends. One that is to work again is started again. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    executor: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's files: what was uploaded, and what its pipelines have written to `files/...`. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those that lie in this folder; empty: in none. */
                    folder?: string;
                    /** @description Only those with this in their name. */
                    search?: string;
                    /** @description The `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 100 where it is left out, never more than 1000. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FilePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Upload a small file in one call, whose `Content-Length` says its size. */
        put: {
            parameters: {
                query: {
                    name: string;
                    /** @description In none where it is left out. */
                    folder?: string;
                    /** @description What its content is to be, in hexadecimal digits. */
                    sha256?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/octet-stream": number[];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Progress"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /**
         * Begin to upload a file. Its bytes come by `PUT`, in as many calls as it takes; it is there once it is whole. Pipelines read
         *     it as `files/FOLDER/NAME`, such as `from: files/raw/orders.csv`: `files` is a connection that is always there. Whoever says its
         *     `sha256` and asks again is given the upload that they began before, to go on with it.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UploadWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Upload"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/shared/{link}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The content of a file that a link leads to. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    link: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/uploads/{upload}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far an upload has come: its `offset` is from where on to go on. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    upload: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Upload"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /**
         * Send the bytes from `offset` on, as many as come within 30 s: what has come is kept, also where the call breaks off. With
         *     the last of them the file is made; with none, where they are all there and it was not.
         */
        put: {
            parameters: {
                query: {
                    offset: number;
                };
                header?: never;
                path: {
                    upload: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/octet-stream": number[];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Progress"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Give an upload up. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    upload: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One file. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["File"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        /** Delete a file. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The content of a file, or the part of it that the header `Range` asks for. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    range?: string | null;
                };
                path: {
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A link that leads whoever has it to a file, for a while. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    file: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["LinkWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Link"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The first rows of a Parquet, CSV or JSON file, read by an executor within 10 s and 1 MiB. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RowsView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this coordinator is well, and whether it leads. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/{secret}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Call a webhook: its pipeline runs once for it. Members of the body that the pipeline declares as parameters are told to the
         *     run. A call with an `Idempotency-Key` (or a `webhook-id`) that came before, within a week, does nothing more.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    "idempotency-key"?: string | null;
                };
                path: {
                    secret: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    } | null;
                };
            };
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Fired"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation to one's own address. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Acceptance"];
                };
            };
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/lineage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All pipelines and transformations with the tables and files that they read and write, and which pipelines begin others. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Lineage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organizations that one belongs to; for super admins, all there are. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Membership"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make an organization that one owns. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["OrganizationWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Organization"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One organization, by its id or slug. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Membership"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        /** End an organization, and all that belongs to it: its schemas in the built-in warehouse are dropped with every table in them. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        /** Change the name, the slug, how many runs go at once. */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["OrganizationWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Organization"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        trace?: never;
    };
    "/organizations/{organization}/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One's own keys; for admins, all of the organization. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApiKey"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a key that acts as oneself, within its scopes; it is shown this once. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewKeyWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewKey"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/api-keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a key: one's own, or for admins anyone's. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                    key: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was changed in an organization, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Entries that are older than the one of this id. */
                    before?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditEntry"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Invitations that are open. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Invitation"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Invite whoever has an address. The link is sent by mail where a mail server is set, and shown this once, to pass on. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewInvitation"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Invited"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/invitations/{invitation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an invitation back. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                    invitation: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who belongs to the organization. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Member"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/members/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Leave the organization. Whoever alone owns it cannot. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{organization}/members/{person}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a member out of the organization. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                    person: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        /** Give a member another role, none above one's own. */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                    person: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewRole"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Member"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        trace?: never;
    };
    "/organizations/{organization}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand the organization over to another member. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    organization: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Heir"];
                };
            };
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's pipelines, by name. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those with this in their name or description, whatever the case. */
                    search?: string;
                    /** @description Only those that stand so: `draft`, `active`, `paused` or `error`; more of them after commas. */
                    status?: string;
                    /** @description Those behind the one of this name: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PipelinePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a pipeline of a file or a graph. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PipelineWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AppliedPipeline"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the pipeline of a file, or make the one of its name like the file. The same file again changes nothing. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PipelineWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AppliedPipeline"];
                    };
                };
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AppliedPipeline"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a run of a file would do; sources and targets are asked what they have, and nothing is touched. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PipelineWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The first rows of a block of a file, computed from its sources. Nothing is written anywhere; a `load` shows what it would
         *     write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PreviewFile"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RowsView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a file or a graph; nothing is kept. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PipelineWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Validation"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One pipeline with its file and its graph. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PipelineDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change a pipeline: its file, how it stands, where its blocks stand. With `If-Match`, only while that is its revision. */
        put: {
            parameters: {
                query?: never;
                header?: {
                    "if-match"?: string | null;
                };
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PipelineWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AppliedPipeline"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Remove a pipeline that does not run, with its revisions, its schedules, and what it remembers of its sources. */
        delete: {
            parameters: {
                query?: never;
                header?: {
                    "if-match"?: string | null;
                };
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What lies between two revisions. */
        get: {
            parameters: {
                query: {
                    from: number;
                    to: number;
                };
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Difference"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The pipeline's file, as it was applied. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/yaml": string;
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a run would do; sources and targets are asked what they have, and nothing is touched. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The first rows of a block of a pipeline as it is now. */
        get: {
            parameters: {
                query: {
                    /** @description The name of the block. */
                    block: string;
                    /** @description How many: 100 where it is left out, never more than 1000. */
                    limit?: number;
                };
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RowsView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every state that the pipeline was in, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Those below this number. */
                    before?: number;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RevisionItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/revisions/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One revision with its file. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                    number: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RevisionDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/revisions/{number}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the pipeline what it was in a revision, as a new one. With `If-Match`, only while that is its revision. */
        post: {
            parameters: {
                query?: never;
                header?: {
                    "if-match"?: string | null;
                };
                path: {
                    pipeline: string;
                    number: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AppliedPipeline"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a run of the newest revision. Also of a paused pipeline, which only its schedules leave alone. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["RunWish"] | null;
                };
            };
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the next incremental read of each block starts. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StateItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/state/{block}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set where the next incremental read of a block starts. Refused while the pipeline runs. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                    block: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StateWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StateItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Forget how far a block has read: its next read starts from the beginning. Refused while the pipeline runs. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    pipeline: string;
                    block: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StateItem"][];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's runs, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Only runs that stand so: `pending`, `running`, `success`, `failed` or `cancelled`, in either case; more of them after commas. */
                    status?: string;
                    /** @description Only runs of the pipeline of this name or id. */
                    pipeline?: string;
                    /** @description Only runs of the transformation of this name or id. */
                    transformation?: string;
                    /** @description Only runs that this began: `manual`, `api`, `schedule`, `webhook`, `upstream` or `client`; more of them after commas. */
                    trigger?: string;
                    /** @description Only runs made at this time or later, as `2026-11-22T04:00:00Z`. */
                    from?: string;
                    /** @description Only runs made before this time. */
                    to?: string;
                    /** @description Only runs with this text in their error, whatever the case. */
                    search?: string;
                    /** @description Runs that are older than the one of this id. */
                    before?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run, as it stands now. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    run: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a run to end. It is done once its status is `cancelled`; one that has ended is left as it is. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    run: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The log of a run, never cut short. `Accept: text/plain` gives all lines as text and `application/x-ndjson` as JSON, one a line;
         *     without either a page is given. With `follow=true` they are told as they come, until the run is over; with
         *     `Accept: text/event-stream` as server-sent events: `lines` with a list of them each, whose ids the header `Last-Event-ID` or
         *     `after` goes on from, and `end`.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Only lines about this block. */
                    block?: string;
                    /** @description Only lines that matter as much: `debug`, `info` (where it is left out), `warn` or `error`. */
                    level?: string;
                    /** @description Only lines with this text in the message or a field, whatever the case. */
                    search?: string;
                    /** @description Lines behind those that were read with this: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 200 where it is left out, never more than 1000. */
                    limit?: number;
                    /** @description With `true` lines are told as they come, until the run is over. */
                    follow?: boolean;
                };
                header?: never;
                path: {
                    run: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LogPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The rows that a run could not read and has put aside, as `bad_rows` of an extract lets it. They are kept for 90 days, also
         *     those of a run that failed. Where a segment was tried more than once, those of the attempt that counts.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Only rows that this block would have read. */
                    block?: string;
                    /** @description Rows behind those that were read with this: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 100 where it is left out, never more than 1000. Of very long rows fewer are given. */
                    limit?: number;
                };
                header?: never;
                path: {
                    run: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["QuarantinePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go on with a run that failed or was cancelled: what it has committed stays, the block that failed and what comes behind it
         *     run again, as the pipeline was then. 409 where it succeeded, runs, or another run of the pipeline came after it: run the
         *     pipeline instead.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    run: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's schedules, with their next times and their last runs. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those of the pipeline of this id. */
                    pipeline?: string;
                    /** @description Only those of the transformation of this id. */
                    transformation?: string;
                    /** @description Those behind the one of this id: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SchedulePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a schedule of a pipeline or of a part of one, or of a transformation, alone or with all that it needs. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ScheduleWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScheduleItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a cron line means: in words, and its next five times. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PreviewWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Preview"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{schedule}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One schedule. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    schedule: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScheduleItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change, enable or disable a schedule. One that stands in its pipeline's file can only be enabled and disabled. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    schedule: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ScheduleWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ScheduleItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Remove a schedule. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    schedule: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization's transformations. */
        get: {
            parameters: {
                query?: {
                    /** @description Only the one of this name. */
                    name?: string;
                    /** @description Those behind the one of this name: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TransformationPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a transformation. What its SQL refers to must be there, and nothing may need itself. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TransformationWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TransformationItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tables that pipelines have loaded, which transformations may read. */
        get: {
            parameters: {
                query?: {
                    /** @description Those behind the one of this id: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SourcePage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/sources.yml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as dbt's `sources.yml`, all of them. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/yaml": unknown;
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/{transformation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One transformation. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TransformationItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change what is sent; the rest stays. With `If-Match` only while nobody else has changed it. */
        put: {
            parameters: {
                query?: never;
                header?: {
                    "if-match"?: string | null;
                };
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TransformationWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TransformationItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Remove a transformation that no other refers to. Its table or view stays. */
        delete: {
            parameters: {
                query?: never;
                header?: {
                    "if-match"?: string | null;
                };
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/{transformation}/compile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The SQL as the database gets it, of what is kept or of what is sent in its place. The database is asked whether it
         *     understands it; nothing is made.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["CompileWish"] | null;
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CompiledSql"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/{transformation}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The first rows that its SQL gives now, of what is kept or of what is sent in its place. What it refers to is read as it is;
         *     nothing is made.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TransformationPreviewWish"] | null;
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RowsView"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transformations/{transformation}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a run that makes its table or view, and tests it. */
        post: {
            parameters: {
                query?: {
                    /** @description Whether those that it refers to are made first, and those that they refer to before them. */
                    upstream?: boolean;
                };
                header?: never;
                path: {
                    transformation: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TransformationRunWish"] | null;
                };
            };
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/triggers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What begins runs of the organization's pipelines, beside schedules and people. */
        get: {
            parameters: {
                query?: {
                    /** @description Only those of the pipeline of this id. */
                    pipeline?: string;
                    /** @description Those behind the one of this id: the `next` of the page before. */
                    after?: string;
                    /** @description How many at most: 50 where it is left out, never more than 500. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TriggerPage"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        /** Make a trigger. That of a webhook answers with its address, which holds a secret and is shown this once. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TriggerWish"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["MadeTrigger"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/triggers/{trigger}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One trigger, with its newest events. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    trigger: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TriggerDetail"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        /** Change, enable or disable a trigger. One that waits for pipelines waits for all of them anew. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    trigger: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TriggerWish"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TriggerItem"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        /** Remove a trigger, with its events that wait. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    trigger: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vault/lock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forget its key until somebody unlocks it: runs wait, and those under way keep what they were given. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VaultStatus"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vault/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give it a master password, or another one. What is sealed stays as it is. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewMasterPassword"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VaultStatus"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vault/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the organization's vault stands. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VaultStatus"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/vault/unlock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open it by its master password: runs that wait for that go on. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Unlocking"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["VaultStatus"];
                    };
                };
                default: components["responses"]["problem"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same over a WebSocket: one JSON document each, first one of the kind `hello`. The token stands in the header
         *     `Authorization`, or after `bearer.` as one of the protocols that are offered, beside `flowetl`. It is closed with 1001 where
         *     the service ends or another coordinator leads, 4401 once the token does not count any more, 4403 once the role is lost,
         *     4408 where what is sent is not taken in time, and 4410 where not all since then is kept.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Events of greater numbers; without it, those from now on. */
                    after?: number;
                    /** @description How many at most, where it is no stream: 100 where it is left out, never more than 1000. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                101: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                default: components["responses"]["problem"];
            };
        };
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
        Acceptance: {
            /** @description That of the invitation. */
            secret: string;
        };
        /**
         * @description What an operator is doing.
         * @enum {string}
         */
        Activity: "computing" | "waiting" | "blocked" | "writing" | "finishing";
        /**
         * @description What somebody may want to be told.
         * @enum {string}
         */
        AlertEvent: "failed" | "stalled" | "stale" | "recovered" | "test";
        /** @description Lets a program do what its maker may, within its scopes. */
        ApiKey: {
            created_at: components["schemas"]["Timestamp"];
            expires_at?: components["schemas"]["Timestamp"] | null;
            id: string;
            last_used_at?: components["schemas"]["Timestamp"] | null;
            name: string;
            /** @description The id of the person who made it, and as whom it acts. */
            person: string;
            /** @description What the key begins with. */
            prefix: string;
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A pipeline, and what became of it. */
        AppliedPipeline: components["schemas"]["PipelineDetail"] & {
            outcome: components["schemas"]["Outcome"];
        };
        /** @description Files that have arrived together. */
        Arrived: {
            /**
             * Format: int64
             * @description How many they are.
             */
            count: number;
            /** @description Their paths at the connection, in alphabetical order: up to 100. */
            files: string[];
        };
        /** @description A place in a file. Both count from 1; a line of 0 means that there is no file to point into. */
        At: {
            /** Format: int32 */
            column: number;
            /** Format: int32 */
            line: number;
        };
        /** @description One try of a segment. */
        AttemptItem: {
            /** Format: double */
            cpu_seconds: number;
            /** Format: double */
            duration_seconds: number;
            error?: components["schemas"]["RunError"] | null;
            /** @description The id of the executor that works on it; null where that is the coordinator's own process, or none has it yet. */
            executor?: string | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description 1 for the segment's first.
             */
            number: number;
            /** Format: int64 */
            peak_memory_bytes: number;
            segment: string;
            started_at: components["schemas"]["Timestamp"];
            /** @description `running`, `committing`, `won`, `failed`, `cancelled` or `lost`. */
            status: string;
        };
        /** @description What somebody should look at. */
        Attention: {
            at?: components["schemas"]["Timestamp"] | null;
            /** @description The id of the pipeline, run or connection. */
            id: string;
            /** @description `failed`, `stalled`, `waiting` or `connection_failing`. */
            kind: string;
            message?: string | null;
            name: string;
            run_id?: string | null;
        };
        /** @description One change: who did what, from where. */
        AuditEntry: {
            /** @description What was done: `member.changed`. */
            action: string;
            /** @description The address it was done from. */
            address: string;
            /** @description How it is, where it is still there. */
            after?: unknown;
            /** @description The id of the API key it was done with. */
            api_key?: string | null;
            at: components["schemas"]["Timestamp"];
            /** @description How it was, where it was there. */
            before?: unknown;
            id: string;
            /** @description The id of the organization; null for what is the installation's own. */
            organization?: string | null;
            /** @description The id of the person who did it; null where nobody was signed in. */
            person?: string | null;
            /** @description The id of what it was done to. */
            subject: string;
        };
        /** @description A copy of the metadata database. */
        Backup: {
            /** @description When it was whole. */
            created_at: components["schemas"]["Timestamp"];
            name: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        /** @description A block's name in its pipeline: letters, digits and underscores, not starting with a digit. */
        BlockId: string;
        /** @description One kind of block. */
        BlockKind: {
            description: string;
            /** @description What its inputs take (`DB_TABLE`, `S3_FILE`, `ML_MODEL`, `TRIGGER`); null where it has none. */
            input?: string | null;
            /** @description The key that makes a block of a pipeline file this kind. */
            keyword: string;
            /** @description `extract`, `sql`, `in_database`, `test`, `load`. */
            kind: string;
            label: string;
            /** @description What it gives; null where it is an end. */
            output?: string | null;
            /**
             * @description JSON Schema of its own keys. Beside that standard's words: `x-input` tells how a text names the blocks that come in,
             *     `x-reference` that it is a place, `x-connection` that it is a connection's name.
             */
            settings: Record<string, unknown>;
            /** @description A second key that must stand beside it. */
            with?: string | null;
        };
        /**
         * @description How far a block or a segment is.
         * @enum {string}
         */
        BlockPhase: "pending" | "running" | "retrying" | "committing" | "success" | "failed" | "cancelled" | "skipped";
        /** @description One block of a run. */
        BlockView: {
            /** Format: int32 */
            attempts: number;
            /** Format: int64 */
            blocked_ms: number;
            /**
             * Format: int64
             * @description Milliseconds computing or writing, waiting for input, and waiting for the consumer: summed over streams.
             */
            busy_ms: number;
            /** Format: int64 */
            bytes_out: number;
            /**
             * Format: int64
             * @description What its sorts, joins and aggregates wrote to local disk because memory was not enough.
             */
            bytes_spilled: number;
            /** Format: int64 */
            rows_discarded: number;
            /** Format: int64 */
            rows_in: number;
            /** Format: int64 */
            rows_out: number;
            /** Format: int64 */
            rows_quarantined: number;
            /**
             * Format: double
             * @description Wall time of the segment's newest attempt, from its start to its commit or to now.
             */
            seconds: number;
            segment: components["schemas"]["SegmentId"];
            state: components["schemas"]["BlockPhase"];
            /** Format: int64 */
            waiting_ms: number;
        };
        /** @description The block that all others of its segment wait for. */
        Bottleneck: {
            block: components["schemas"]["BlockId"];
            /**
             * Format: double
             * @description Of the segment's time, how much was spent by it: from 0 to 1.
             */
            share: number;
            /** @description All of it in one sentence. */
            text: string;
        };
        /** @description A place on a canvas. */
        CanvasSpot: {
            /** Format: double */
            x: number;
            /** Format: double */
            y: number;
        };
        /** @description Everything that pipelines can be made of. */
        CatalogueView: {
            blocks: components["schemas"]["BlockKind"][];
            connectors: components["schemas"]["ConnectorKind"][];
        };
        /** @enum {string} */
        ChangeKind: "table_added" | "table_removed" | "column_added" | "column_removed" | "column_changed" | "keys_changed";
        /**
         * @description The sort of a failure. It alone decides whether an attempt is tried again.
         * @enum {string}
         */
        Class: "user" | "data_test" | "source_transient" | "sink_transient" | "resource" | "panic" | "truncated" | "fenced" | "cancelled" | "stalled" | "lost_executor" | "internal";
        ColumnView: {
            /** @description What it is read as, as Arrow writes it; null where the first read tells. */
            arrow_type?: string | null;
            /** @description Whether it is part of the primary key. */
            key: boolean;
            name: string;
            nullable: boolean;
            /** @description As the system writes it. */
            type: string;
        };
        /** @description What is to be compiled in place of what is kept. */
        CompileWish: {
            /** @description Values of the parameters; of those that are left out, their defaults. */
            params?: Record<string, unknown> | null;
            /** @description SQL that is not saved yet. */
            sql_body?: string | null;
        };
        /** @description SQL as the database gets it. */
        CompiledSql: {
            /** @description The transformations that it refers to. */
            depends_on: string[];
            /** @description What it makes: `connection.schema.name`; null for what is ephemeral. */
            relation?: string | null;
            /** @description The tables that it reads as sources: `source.table`. */
            sources: string[];
            sql: string;
        };
        /** @description A connection with the pipelines that use it. */
        ConnectionDetail: components["schemas"]["ConnectionView"] & {
            /** @description Those that can run and name it, by name: up to 500. */
            used_by: components["schemas"]["ConnectionUser"][];
        };
        /** @description A pipeline that uses a connection. */
        ConnectionUser: {
            id: string;
            name: string;
        };
        /** @description A connection as the API shows it: its settings stand beside its other fields as well as in `config`. */
        ConnectionView: Record<string, unknown> & {
            /** @description The same. */
            _id: string;
            /** @description `host`, `port`, `database`, `username` and what else its connector announces; `encrypted_value` for each secret. */
            config: Record<string, unknown>;
            created_at: components["schemas"]["Timestamp"];
            /** @description The same. */
            db_type: string;
            direction: components["schemas"]["Direction"];
            /** @description Null where it lies in none. */
            folder?: string | null;
            id: string;
            /** @description Whether pipelines may read from it. */
            is_source: boolean;
            last_test_message?: string | null;
            /** @description `success` or `failed`. */
            last_test_status?: string | null;
            /** @description The server's, as it says it itself. */
            last_test_version?: string | null;
            last_tested_at?: components["schemas"]["Timestamp"] | null;
            name: string;
            /** @description `postgres`, `sqlite`, `s3`, `file`: a scheme that one of the connectors answers to. */
            type: string;
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description A connection that is to be, or what is to change of one: its settings stand beside its own fields, or in `config`. */
        ConnectionWish: {
            /** @description More settings, as the connector announces them. */
            config?: Record<string, unknown> | null;
            database?: string | null;
            db_type?: string | null;
            /** @description `source`, `destination` or `both`, as it is where nothing is said. */
            direction?: string | null;
            folder?: string | null;
            host?: string | null;
            /** @description One of its own among the organization's. */
            name?: string | null;
            /** @description What is left out stays, and so does what is sent as `encrypted_value`. */
            password?: string | null;
            /** Format: int32 */
            port?: number | null;
            /** @description `postgres`, `sqlite`, `s3`, `file`: a scheme that one of the connectors answers to. `db_type` means the same. */
            type?: string | null;
            username?: string | null;
        };
        /** @description One kind of system. */
        ConnectorKind: {
            label: string;
            name: string;
            /** @description `tables` or `paths`: what is named behind the connection's name. */
            places: string;
            /** @description What `type` a connection of it may have, the usual one first. */
            schemes: string[];
            /** @description JSON Schema of a connection's keys. Secrets are `writeOnly`. */
            settings: Record<string, unknown>;
        };
        /** @description How things stand. */
        Dashboard: {
            executors: components["schemas"]["Strip"];
            /** @description The last 24 hours, oldest first; the last one is the hour that goes on. */
            last_24_hours: components["schemas"]["Hour"][];
            /** @description What somebody should look at, the worst first. */
            needs_attention: components["schemas"]["Attention"][];
            /** @description The next ten times of schedules. */
            next_scheduled: components["schemas"]["NextItem"][];
            /** @description How many pipelines stand how. */
            pipelines: components["schemas"]["PipelineHealth"];
            /** @description The newest ten. */
            recent_runs: components["schemas"]["RunItem"][];
            /**
             * Format: int64
             * @description Runs made since midnight, UTC.
             */
            runs_today: number;
            /**
             * Format: double
             * @description Of the runs of the last 24 hours that succeeded or failed, how many succeeded: from 0 to 1; null where there are none.
             */
            success_rate?: number | null;
            totals: components["schemas"]["Totals"];
        };
        /** @description One alert on its way to one destination. */
        DeliveryItem: {
            /** @description The beginning of what was answered then, or why nothing was. */
            answer?: string | null;
            /** @description What is told. */
            body: Record<string, unknown>;
            created_at: components["schemas"]["Timestamp"];
            /** @description The id of the destination. */
            destination: string;
            event: components["schemas"]["AlertEvent"];
            /** @description Also the `webhook-id` of its calls. */
            id: string;
            next_try_at?: components["schemas"]["Timestamp"] | null;
            state: components["schemas"]["DeliveryState"];
            /**
             * Format: int64
             * @description Of HTTP or SMTP, at the last try; null where nobody answered.
             */
            status?: number | null;
            tried_at?: components["schemas"]["Timestamp"] | null;
            /** Format: int64 */
            tries: number;
        };
        /** @description Deliveries, and where the next ones are. */
        DeliveryPage: {
            /** @description Newest first. */
            deliveries: components["schemas"]["DeliveryItem"][];
            /** @description The `before` of the next page; null where there is none. */
            next?: string | null;
        };
        /**
         * @description Where a delivery stands.
         * @enum {string}
         */
        DeliveryState: "waiting" | "delivered" | "given_up";
        /** @description Where alerts go. */
        DestinationItem: {
            /** @description To whom mail goes. */
            addresses: string[];
            created_at: components["schemas"]["Timestamp"];
            events: components["schemas"]["AlertEvent"][];
            /** @description Of its URL, whose rest is a secret; null for mail. */
            host?: string | null;
            id: string;
            kind: components["schemas"]["DestinationKind"];
            name: string;
            updated_at: components["schemas"]["Timestamp"];
        };
        /**
         * @description How a destination is reached.
         * @enum {string}
         */
        DestinationKind: "webhook" | "slack" | "email";
        /** @description A destination that is to be made or changed. What is left out of a change stays as it is. */
        DestinationWish: {
            /** @description To whom mail goes. */
            addresses?: string[] | null;
            /** @description What it is told of every pipeline; beside that, what pipelines name it for. Nothing where it is left out of a new one. */
            events?: components["schemas"]["AlertEvent"][] | null;
            kind?: components["schemas"]["DestinationKind"] | null;
            /** @description As pipeline files name it: `alerts: {on: [failed], to: NAME}`. */
            name?: string | null;
            /**
             * Format: password
             * @description What a webhook's calls are signed with: `whsec_` and 24 to 64 bytes in base64. One is made where it is left out of a new
             *     webhook.
             */
            secret?: string | null;
            /** @description Where a webhook or Slack takes calls: `https://...`. It is sealed, and never shown again. */
            url?: string | null;
        };
        /** @description What lies between two revisions. */
        Difference: {
            blocks_added: string[];
            blocks_changed: string[];
            blocks_removed: string[];
            /** Format: int64 */
            from: number;
            /** @description Keys beside the blocks that are not what they were: `schedule`, `memory`, ... */
            keys_changed: string[];
            /** @description Line by line, as `diff --unified` writes it; empty where the texts are the same. */
            text: string;
            /** Format: int64 */
            to: number;
        };
        /**
         * @description Where rows may go.
         * @enum {string}
         */
        Direction: "source" | "destination" | "both";
        /** @description How a look differs from the one before it. What is only estimated does not count. */
        Drift: {
            /** @description The first 500 of them. */
            changes: components["schemas"]["TableChange"][];
            /** @description When the look before it was. */
            since: components["schemas"]["Timestamp"];
            /** Format: int64 */
            tables_added: number;
            /**
             * Format: int64
             * @description Tables with other columns or keys.
             */
            tables_changed: number;
            /** Format: int64 */
            tables_removed: number;
        };
        /** @description One edge of a run. */
        EdgeView: {
            /** Format: int64 */
            bytes: number;
            /**
             * Format: int64
             * @description Milliseconds for which nothing came over it, summed over streams.
             */
            empty_ms: number;
            from: components["schemas"]["BlockId"];
            /**
             * Format: int64
             * @description Milliseconds for which rows lay ready that were not taken, summed over streams.
             */
            full_ms: number;
            /** Format: int64 */
            rows: number;
            to: components["schemas"]["BlockId"];
        };
        /** @description PBKDF2-HMAC-SHA256 of the passphrase makes a Fernet key. */
        Encryption: {
            /** Format: int32 */
            iterations: number;
            salt: string;
        };
        /** @description Events, and where the next ones are. */
        EventPage: {
            /** @description In the order they happened. */
            events: components["schemas"]["Happening"][];
            /**
             * Format: int64
             * @description The `after` of the next call.
             */
            next: number;
        };
        /** @description An executor with what it does. */
        ExecutorDetail: components["schemas"]["ExecutorItem"] & {
            /** @description The ids of the organization's runs that it works for now. */
            runs: string[];
        };
        /** @description An executor. */
        ExecutorItem: {
            /** @description How others reach it; empty where it is the coordinator's own process. */
            address: string;
            /**
             * Format: int32
             * @description Attempts that it works on.
             */
            busy: number;
            /** @description Whether it finishes what it has and then ends. */
            draining: boolean;
            id: string;
            /**
             * Format: int32
             * @description Attempts that it takes at once; 0 where it has no limit.
             */
            slots: number;
            version: string;
        };
        /** @enum {string} */
        Existing: "skip" | "replace";
        /** @description Asks for the secrets, too. */
        ExportWish: {
            /** @description What they are sealed by in the document. */
            passphrase: string;
        };
        /** @description All connections of an organization, or some. */
        Exported: {
            connections: components["schemas"]["ExportedConnection"][];
            encryption?: components["schemas"]["Encryption"] | null;
            /**
             * Format: int32
             * @description 1.
             */
            version: number;
        };
        ExportedConnection: {
            /** @description The settings that are no secrets. */
            config?: Record<string, unknown>;
            direction?: components["schemas"]["Direction"];
            folder?: string;
            name: string;
            /** @description Those that are, as Fernet tokens. */
            secrets?: {
                [key: string]: string;
            };
            type: string;
        };
        /** @description A failure as it travels and as people read it: the sort, the block, what happened, and why, outermost first. */
        Failure: {
            block?: components["schemas"]["BlockId"] | null;
            class: components["schemas"]["Class"];
            /** @description Where the executor was reached that another one has lost on the way. */
            lost?: string | null;
            /** @description One sentence, lowercase, no full stop, without any secret. */
            message: string;
            /** @description Whether memory that was not enough may be enough for another attempt, one that uses less of it. */
            thriftily?: boolean;
        };
        /** @description A file that was uploaded, or that a pipeline has written. */
        File: {
            /** @description When its content came, by the storage's clock. */
            created_at: components["schemas"]["Timestamp"];
            /** @description The id of the person; null where a pipeline has written it. */
            created_by?: string | null;
            /** @description Empty: in none. */
            folder: string;
            id: string;
            name: string;
            /** @description Of its content, in hexadecimal digits; null where a pipeline has written it. */
            sha256?: string | null;
            /** Format: int64 */
            size: number;
            written_by?: components["schemas"]["FileMaker"] | null;
        };
        /** @description The run that has written a file. */
        FileMaker: {
            pipeline: string;
            /** @description Null where the pipeline is not kept, or not any more. */
            pipeline_id?: string | null;
            run_id: string;
        };
        /** @description Files, the folders beside them, and where the next ones are. */
        FilePage: {
            /** @description Those that were uploaded before those that pipelines have written; each by folder and name. */
            files: components["schemas"]["File"][];
            /** @description The names of the folders in the folder that was asked for; of the outermost where none was. */
            folders: string[];
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
        };
        /** @description What became of a call. */
        Fired: {
            /** @description The id of the event. */
            id: string;
            /** @description Whether the same was told before, under the same key: nothing more is done. */
            is_repeated: boolean;
        };
        /** @description An event. */
        FiringItem: {
            arrived?: components["schemas"]["Arrived"] | null;
            at: components["schemas"]["Timestamp"];
            /** @description Why it can never begin one. */
            error?: string | null;
            id: string;
            /** @description Null while it waits for its run. */
            run_id?: string | null;
        };
        ForeignKeyView: {
            columns: string[];
            name: string;
            /** @description The columns there, in the order of `columns`. */
            references: string[];
            schema: string;
            table: string;
        };
        /** @description Whether the result of a pipeline is as new as its file says. */
        Freshness: {
            is_stale: boolean;
            /** @description Until when it is fresh. */
            until: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Seconds within which a run is to succeed.
             */
            within: number;
        };
        /** @description A pipeline file, cut into what a canvas draws. */
        GraphDefinition: {
            /** @description What blocks take from each other. They follow from the settings; where some are given, these must say the same. */
            edges?: components["schemas"]["GraphEdge"][];
            /** @description The file's keys beside its blocks, as they are written: `name`, `connections`, `schedule`, ... */
            file?: {
                [key: string]: unknown;
            };
            /** @description In the order of the file. */
            nodes: components["schemas"]["GraphNode"][];
        };
        /** @description One block's use of another. */
        GraphEdge: {
            port?: components["schemas"]["PortType"] | null;
            source: components["schemas"]["BlockId"];
            target: components["schemas"]["BlockId"];
        };
        /** @description A block. */
        GraphNode: {
            id: components["schemas"]["BlockId"];
            /** @description The kind of block that the settings make it; not looked at where it is given. */
            kind?: string | null;
            position?: components["schemas"]["CanvasSpot"] | null;
            /** @description As the file has them. */
            settings: unknown;
        };
        /** @description Something that happened, as whoever watches is told. */
        Happening: {
            at: components["schemas"]["Timestamp"];
            /** @description What else is known of it. */
            detail: Record<string, unknown>;
            /**
             * @description Of what sort the thing is, and what happened to it: `run.started`, `run.changed`, `run.progress`, `run.ended`,
             *     `connection.changed` and so on.
             */
            kind: string;
            /**
             * Format: int64
             * @description Grows; null where it is not in the log: counters of a run under way.
             */
            number?: number | null;
            /** @description The id of the thing. */
            subject: string;
        };
        /** @description How this process stands. */
        Health: {
            /** @description Where the leader is reached (gRPC), as far as this process knows and does not lead itself. */
            leader?: string | null;
            /** @description `leader`, or `standby` where another coordinator decides: its calls are refused with 503. */
            role: string;
            /** @description Always `ok`: who is not well does not answer. */
            status: string;
            version: string;
        };
        Heir: {
            /** @description The id of a member. */
            person: string;
        };
        /** @description Runs that were made within one hour, by how they stand now. */
        Hour: {
            /** Format: int64 */
            cancelled: number;
            /** Format: int64 */
            failed: number;
            hour: components["schemas"]["Timestamp"];
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            success: number;
        };
        /** @description A document of connections that are to be. */
        Import: components["schemas"]["Exported"] & {
            /** @description What becomes of connections that there are already under these names. */
            existing?: components["schemas"]["Existing"];
            /** @description That of the export. */
            passphrase?: string | null;
        };
        /** @description What became of each connection, by name. */
        Imported: {
            created: string[];
            refused: components["schemas"]["NotImported"][];
            replaced: string[];
            skipped: string[];
        };
        /** @description Someone who may come to belong to an organization. */
        Invitation: {
            created_at: components["schemas"]["Timestamp"];
            email: string;
            expires_at: components["schemas"]["Timestamp"];
            id: string;
            /** @description The id of the person who invites. */
            invited_by: string;
            role: components["schemas"]["Role"];
        };
        /** @description An invitation that was just made. */
        Invited: components["schemas"]["Invitation"] & {
            /** @description Where the person signs up or accepts, below this server's address. */
            link: string;
            /** @description Whether it is sent by mail, too. */
            mailed: boolean;
            /** @description Lets the person in who has the address; shown this once. */
            secret: string;
        };
        /** @description The newest run. */
        LastRunItem: {
            finished_at?: components["schemas"]["Timestamp"] | null;
            id: string;
            started_at: components["schemas"]["Timestamp"];
            status: components["schemas"]["RunStatus"];
        };
        /**
         * @description How much a line matters.
         * @enum {string}
         */
        Level: "debug" | "info" | "warn" | "error";
        /** @description A graph of places and of what makes them. */
        Lineage: {
            edges: components["schemas"]["LineageEdge"][];
            /** @description Pipelines and transformations by name, then tables and files. */
            nodes: components["schemas"]["LineageNode"][];
        };
        /** @description From one node to another. */
        LineageEdge: {
            /** @description The id of the node that comes before. */
            from: string;
            kind: components["schemas"]["LineageEdgeKind"];
            to: string;
            /** @description Of one that triggers: the id of the trigger. */
            trigger_id?: string | null;
        };
        /**
         * @description What an edge means.
         * @enum {string}
         */
        LineageEdgeKind: "reads" | "writes" | "triggers";
        /** @description Something that data passes through or lies in. */
        LineageNode: {
            /** @description Of a table or files: the connection, or the address of what has no name. */
            connection?: string | null;
            /** @description `pipeline:<id>`, `transformation:<id>`, `table:shop.public.orders` or `file:lake/raw/*.parquet`. */
            id: string;
            kind: components["schemas"]["LineageNodeKind"];
            last_run?: components["schemas"]["LastRunItem"] | null;
            name: string;
            /** @description Of a pipeline or transformation: its id. */
            object_id?: string | null;
        };
        /**
         * @description What a node is.
         * @enum {string}
         */
        LineageNodeKind: "pipeline" | "transformation" | "table" | "file";
        /** @description Where whoever has it may read a file without signing in. */
        Link: {
            expires_at: components["schemas"]["Timestamp"];
            /** @description Below this service's address. */
            url: string;
        };
        /** @description For how long a link is to lead to a file. */
        LinkWish: {
            /**
             * Format: int64
             * @description One hour where it is left out, a week at most.
             */
            seconds?: number | null;
        };
        /** @description A line of a run's log. */
        LogLine: {
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description The number of the attempt in its segment.
             */
            attempt?: number | null;
            block?: string | null;
            /** @description The id of the executor that says it; null where that is the coordinator, or its process. */
            executor?: string | null;
            /** @description Figures by their names. */
            fields: {
                [key: string]: string;
            };
            /** @description `debug`, `info`, `warn` or `error`. */
            level: string;
            message: string;
            segment?: string | null;
        };
        /** @description Lines, and where the next ones are. */
        LogPage: {
            /** @description Whether more lies there now. */
            has_more: boolean;
            /** @description In the order of their times. */
            lines: components["schemas"]["LogLine"][];
            /** @description The `after` of the next page; what is said later lies behind it, too. */
            next: string;
        };
        /**
         * @description How it stands with looking at a connection.
         * @enum {string}
         */
        LookState: "never" | "running" | "success" | "failed" | "interrupted";
        /** @description How it stands with looking at a connection, and what is known by the last look that went well. */
        LookView: {
            /**
             * Format: int64
             * @description How old that is.
             */
            age_seconds?: number | null;
            /** @description The id of the connection. */
            connection: string;
            drift?: components["schemas"]["Drift"] | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            found_at?: components["schemas"]["Timestamp"] | null;
            /** @description Why it failed, in the words of the system. */
            message?: string | null;
            /**
             * Format: int64
             * @description Tables found so far, while it runs.
             */
            progress?: number | null;
            started_at?: components["schemas"]["Timestamp"] | null;
            state: components["schemas"]["LookState"];
            /** Format: int64 */
            tables?: number | null;
        };
        /** @description A destination that was just made. */
        Made: components["schemas"]["DestinationItem"] & {
            /** @description What its calls are signed with, where it was made here; shown this once. */
            secret?: string | null;
        };
        /** @description A trigger that was just made. */
        MadeTrigger: components["schemas"]["TriggerItem"] & {
            /** @description Of a webhook: what to call by POST, below the service's address. It holds the secret, and is shown this once. */
            url?: string | null;
        };
        /**
         * @description What becomes of the rows of a transformation.
         * @enum {string}
         */
        Materialization: "view" | "table" | "incremental" | "ephemeral";
        /** @description Who calls. */
        Me: components["schemas"]["Person"] & {
            memberships: components["schemas"]["Membership"][];
        };
        /** @description Someone who belongs to an organization. */
        Member: {
            email: string;
            last_seen_at?: components["schemas"]["Timestamp"] | null;
            name: string;
            /** @description The id of the person. */
            person: string;
            role: components["schemas"]["Role"];
            since: components["schemas"]["Timestamp"];
        };
        /** @description An organization as one of its members sees it. */
        Membership: {
            organization: components["schemas"]["Organization"];
            role: components["schemas"]["Role"];
        };
        /** @description How people sign in. */
        Methods: {
            /** @description By `/auth/oidc/login`. */
            oidc: boolean;
            /** @description Nobody needs to: whoever reaches the service owns the default organization. */
            open: boolean;
            /** @description By `/auth/login`. */
            password: boolean;
        };
        /**
         * @description What becomes of times that passed while nothing ran, and of those that come while a run is under way.
         * @enum {string}
         */
        Missed: "skip" | "run_now" | "queue";
        /** @description Something that happened to a run. */
        Moment: {
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description The number of the attempt.
             */
            attempt?: number | null;
            /** @description `begun`, `prepared`, `committed`, `failed` ... */
            event: string;
            /** @description `debug`, `info`, `warn` or `error`. */
            level: components["schemas"]["Level"];
            message: string;
            segment?: string | null;
        };
        NewInvitation: {
            email: string;
            role: components["schemas"]["Role"];
        };
        /** @description An API key that was just made. */
        NewKey: components["schemas"]["ApiKey"] & {
            /** @description Goes into the header `Authorization: Bearer ...` of each call; shown this once. */
            key: string;
        };
        /** @description An API key that is to be. */
        NewKeyWish: {
            /**
             * Format: date-time
             * @description It counts for ever where this is left out.
             */
            expires_at?: string | null;
            name: string;
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A master password that is to be. */
        NewMasterPassword: {
            /** @description The one that counts so far, where there is one. */
            current?: string | null;
            /**
             * @description Whether it alone opens the vault from now on: it is locked after every start then, and the secrets are lost with the
             *     password.
             */
            only?: boolean;
            password: string;
        };
        NewPassword: {
            /**
             * Format: password
             * @description At least 8 characters.
             */
            new: string;
            /** Format: password */
            old: string;
        };
        NewRole: {
            role: components["schemas"]["Role"];
        };
        /** @description A time that comes. */
        NextItem: {
            at: components["schemas"]["Timestamp"];
            /** @description The name of the pipeline or transformation. */
            pipeline: string;
            /** @description Null where a transformation comes. */
            pipeline_id?: string | null;
            schedule_id: string;
            /** @description Null where a pipeline comes. */
            transformation_id?: string | null;
        };
        NotImported: {
            message: string;
            name: string;
        };
        /** @description One operator of an attempt in which nothing moves: a stream of a block's rows, or of rows that are written. */
        OperatorStanding: {
            activity: components["schemas"]["Activity"];
            block: components["schemas"]["BlockId"];
            /** @description The address of its executor; empty where that has none, for it is alone. */
            executor: string;
            /**
             * Format: int64
             * @description Milliseconds for which it has done nothing else.
             */
            ms: number;
            /** @description Its place among the block's operators there, from 0. */
            stream: number;
        };
        /** @description The operators of one block, outermost first, each line indented by its depth inside the block. */
        Operators: {
            block?: components["schemas"]["BlockId"] | null;
            lines: string[];
            partitions: number;
        };
        /** @description Owns runs, and people belong to it. */
        Organization: {
            created_at: components["schemas"]["Timestamp"];
            id: string;
            name: string;
            /**
             * Format: int64
             * @description Runs that may be under way at once; others wait for their turn. Null for as many as there are.
             */
            runs_at_once?: number | null;
            /** @description Its name in URLs: small letters, digits and `-`. */
            slug: string;
        };
        /** @description What an organization is to be called. */
        OrganizationWish: {
            name?: string | null;
            /**
             * Format: int64
             * @description Runs that may be under way at once; others wait for their turn. 0 for as many as there are.
             */
            runs_at_once?: number | null;
            /** @description 1 to 50 small letters, digits and `-` between them; made of the name where it is left out. */
            slug?: string | null;
        };
        /**
         * @description What became of a pipeline.
         * @enum {string}
         */
        Outcome: "created" | "changed" | "unchanged";
        /**
         * @description What becomes of the root's rows.
         * @enum {string}
         */
        Output: "boundary" | "sink" | "relation" | "verdict";
        /** @description What a block has made. */
        OutputItem: {
            /** Format: int64 */
            bytes: number;
            /** @description Whether it is visible in a target; else it lies in object storage, for the blocks behind it. */
            is_published: boolean;
            /** @description Files, or pieces of a table. */
            parts: number;
            /** Format: int64 */
            rows: number;
        };
        /** @description Someone who can sign in. */
        Person: {
            created_at: components["schemas"]["Timestamp"];
            email: string;
            id: string;
            name: string;
            /** @description May see and do everything in this installation. */
            super_admin: boolean;
        };
        /**
         * @description Where a run stands.
         *
         *     ```text
         *     running ──► success
         *        ├──────► failing ────► failed
         *        └──────► cancelling ─► cancelled
         *     ```
         *
         *     A failing or cancelling run starts nothing more; it waits for what is under way. Only an explicit resume leads out of
         *     an end state.
         * @enum {string}
         */
        Phase: "running" | "failing" | "cancelling" | "success" | "failed" | "cancelled";
        /** @description A pipeline with its file. */
        PipelineDetail: components["schemas"]["PipelineItem"] & components["schemas"]["PipelineFile"] & {
            graph_definition?: components["schemas"]["GraphDefinition"] | null;
            layout: {
                [key: string]: components["schemas"]["CanvasSpot"];
            };
            /** @description What is wrong with a draft. */
            problems: components["schemas"]["PipelineProblem"][];
        };
        /** @description A pipeline's file with all that it is read with. */
        PipelineFile: {
            /** @description The `connections.yml` beside it. */
            connections_text?: string | null;
            /** @description What problems call the file; the pipeline is named after it where its text says no name. */
            file: string;
            /** @description What relative paths in it start from, on the executors. */
            folder: string;
            /** @description YAML or JSON, as it was applied. */
            text: string;
        };
        /** @description How many pipelines stand how. */
        PipelineHealth: {
            /** Format: int64 */
            active: number;
            /** Format: int64 */
            draft: number;
            /**
             * Format: int64
             * @description Active ones whose newest run has failed.
             */
            error: number;
            /** Format: int64 */
            paused: number;
        };
        /** @description A pipeline in a list. */
        PipelineItem: {
            created_at: components["schemas"]["Timestamp"];
            description?: string | null;
            freshness?: components["schemas"]["Freshness"] | null;
            id: string;
            /** @description Whether its schedules run it. */
            is_active: boolean;
            last_run?: components["schemas"]["LastRunItem"] | null;
            last_success_at?: components["schemas"]["Timestamp"] | null;
            name: string;
            next_run_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its newest runs, newest first: 14 at most. */
            recent_runs: components["schemas"]["LastRunItem"][];
            /**
             * Format: int64
             * @description The number of its newest revision; the `ETag`, too.
             */
            revision: number;
            /** @description The cron line in its file. */
            schedule_cron?: string | null;
            /** @description What it reads from, each once; none while its file is not right. */
            sources: components["schemas"]["SystemItem"][];
            status: components["schemas"]["Status"];
            /** @description What it writes to. */
            targets: components["schemas"]["SystemItem"][];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description Pipelines, and where the next ones are. */
        PipelinePage: {
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
            /** @description By name. */
            pipelines: components["schemas"]["PipelineItem"][];
        };
        /**
         * @description One thing that is wrong: `orders.yml:7:5: block `features`: unknown key `overlp`, did you mean `overlap`?`.
         *
         *     No problem ever holds a password or another secret.
         */
        PipelineProblem: components["schemas"]["At"] & {
            block?: components["schemas"]["BlockId"] | null;
            code: components["schemas"]["ProblemCode"];
            /** @description The file as its reader named it. */
            file: string;
            /** @description What would help. */
            hint?: string | null;
            /** @description Lowercase, no full stop, names in backticks. */
            message: string;
        };
        /** @description A pipeline that is to be made or changed. What is left out of a change stays as it is. */
        PipelineWish: {
            /** @description The text of the `connections.yml` beside the file; empty where there is none any more. */
            connections_text?: string | null;
            /** @description What relative paths start from, on the executors: an absolute path; `/` where it is left out. */
            folder?: string | null;
            graph_definition?: components["schemas"]["GraphDefinition"] | null;
            /** @description Where blocks stand on a canvas, by their names. */
            layout?: {
                [key: string]: components["schemas"]["CanvasSpot"];
            } | null;
            /** @description What was changed and why, for the list of revisions. */
            message?: string | null;
            /** @description What the pipeline is called where its file says no `name`. */
            name?: string | null;
            status?: components["schemas"]["Standing"] | null;
            /** @description The pipeline file, YAML or JSON. Either this or a `graph_definition`. */
            text?: string | null;
        };
        /** @description What a run would do. */
        Plan: {
            segments: components["schemas"]["SegmentPlan"][];
        };
        /**
         * @description The type of a port. Only equal types may be joined.
         * @enum {string}
         */
        PortType: "DB_TABLE" | "S3_FILE" | "ML_MODEL" | "TRIGGER";
        /** @description What a cron line means. */
        Preview: {
            /** @description The next five times. */
            next_runs: string[];
            /** @description `Every day at 3:00 AM UTC`. */
            text: string;
        };
        /** @description Which rows of a pipeline that is not kept. */
        PreviewFile: {
            /** @description The name of the block. */
            block: string;
            /** @description 100 where it is left out, 1000 at most. */
            limit?: number | null;
            pipeline: components["schemas"]["PipelineWish"];
        };
        /** @description A cron line that is looked at. */
        PreviewWish: {
            cron_expression: string;
            /** @description UTC where it is left out. */
            timezone?: string | null;
        };
        /**
         * @description Which of an organization's waiting runs comes first.
         * @enum {string}
         */
        Priority: "low" | "normal" | "high";
        /** @description Why a call was refused, as RFC 9457 has it. */
        Problem: {
            /** @description What is wrong, in one sentence. */
            detail: string;
            /** @description The field that is wrong, where it is one. */
            field?: string | null;
            /** @description By which the coordinator's log knows it, where the fault is its own. */
            instance?: string | null;
            /** @description Everything that is wrong with a pipeline file or a transformation's SQL, each with its line and column, where it is one. */
            problems?: components["schemas"]["PipelineProblem"][];
            /** Format: int32 */
            status: number;
            /** @description The status in words. */
            title: string;
            /** @description Always `about:blank`: the status says what sort of problem it is. */
            type: string;
        };
        /**
         * @description The sort of a problem, for editors and scripts.
         * @enum {string}
         */
        ProblemCode: "syntax" | "limit" | "duplicate_key" | "unknown_key" | "missing_key" | "wrong_type" | "wrong_value" | "unknown_block" | "unknown_connection" | "wrong_reference" | "wrong_sql" | "wrong_port" | "cycle" | "missing_secret" | "not_yet";
        /** @description How far an upload has come. */
        Progress: {
            file?: components["schemas"]["File"] | null;
            upload?: components["schemas"]["Upload"] | null;
        };
        /** @description Rows, and where the next ones are. */
        QuarantinePage: {
            /** @description Whether more lies there now. */
            has_more: boolean;
            /** @description The `after` of the next page. */
            next: string;
            /** @description Block by block, in the order in which they were put aside. */
            rows: components["schemas"]["QuarantinedRow"][];
        };
        /** @description A row that was put aside. */
        QuarantinedRow: {
            /** @description The block that would have read it. */
            block: string;
            /** @description Where in the source: `a.csv line 7`. */
            location: string;
            /** @description Why it could not be read. */
            reason: string;
            /** @description As the source has it, as far as that is text. */
            row: string;
        };
        Refresh: {
            refresh_token: string;
        };
        /** @description A person who signs up. */
        Registration: {
            email: string;
            /** @description The secret of an invitation, in whose organization the person is from then on: none is made then. */
            invitation?: string | null;
            name: string;
            /** @description The name of the organization that is made; without it, the person's name stands in it. */
            organization?: string | null;
            /**
             * Format: password
             * @description At least 8 characters.
             */
            password: string;
        };
        /** @description A revision with its file. */
        RevisionDetail: components["schemas"]["RevisionItem"] & components["schemas"]["PipelineFile"];
        /** @description A revision in a list. */
        RevisionItem: {
            /** @description The id of the person who applied it; null where nobody has to sign in. */
            author?: string | null;
            created_at: components["schemas"]["Timestamp"];
            /** @description Whether it can be run. */
            is_valid: boolean;
            message: string;
            /** Format: int64 */
            number: number;
            /**
             * Format: int64
             * @description The revision that this one brought back.
             */
            restored?: number | null;
        };
        /**
         * @description What a member of an organization may do; each may all that those before it may.
         * @enum {string}
         */
        Role: "viewer" | "editor" | "admin" | "owner";
        RowsColumn: {
            name: string;
            /** @description As Arrow writes it. */
            type: string;
        };
        /** @description Some rows of a table. */
        RowsView: {
            columns: components["schemas"]["RowsColumn"][];
            /** @description Whether the limits of time and size, and not the number, have ended it. */
            incomplete: boolean;
            /** @description A value for every column, as text; what is too long ends with `…`. */
            rows: (string | null)[][];
        };
        /** @description A run with everything that is known of it. */
        RunDetail: components["schemas"]["RunItem"] & {
            arrived?: components["schemas"]["Arrived"] | null;
            /** @description Every attempt at one of its segments, in the order they were started. */
            attempts: components["schemas"]["AttemptItem"][];
            error?: components["schemas"]["RunError"] | null;
            /** @description What it was told, by the names of its pipeline's parameters. */
            params: Record<string, unknown>;
            /** @description Its blocks, each with what came of it. */
            tasks: components["schemas"]["TaskItem"][];
            /** @description What happened to it, in order. */
            timeline: components["schemas"]["Moment"][];
            /** @description Blocks, segments, tests and edges with their figures, as `flowetl runs RUN --json` shows them. */
            view: components["schemas"]["RunView"];
        };
        /** @description Why something failed. */
        RunError: {
            /** @description The block it is about, if it is about one. */
            block?: string | null;
            /** @description What lies at the bottom of it. */
            cause: string;
            /** @description Of what sort it is: `user`, `source_transient`, `data_test` ... */
            class: string;
            /** @description What that led to, step by step. */
            led_to: string[];
            /** @description All of it in one sentence. */
            message: string;
        };
        /** @description One execution of a pipeline version: a UUID of version 7, so that ids sort by time of creation. */
        RunId: string;
        /** @description A run in a list. */
        RunItem: {
            /**
             * Format: int64
             * @description Bytes that extracts have given, in memory.
             */
            bytes: number;
            /**
             * Format: double
             * @description Of all its attempts on all executors.
             */
            cpu_seconds: number;
            created_at: components["schemas"]["Timestamp"];
            /** @description What keeps it: `queued`, `waiting for unlock`, `retrying`, `stalled`; null where nothing does. */
            detail?: string | null;
            /**
             * Format: double
             * @description From its (last) start to its end, or until now.
             */
            duration_seconds: number;
            error_message?: string | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            id: string;
            /**
             * Format: int64
             * @description The most that any one process held while it worked for the run.
             */
            peak_memory_bytes: number;
            /** @description The name of the pipeline, or of the transformation. */
            pipeline: string;
            /** @description The id of the pipeline; null for a run of anything else. */
            pipeline_id?: string | null;
            /** @description Which of the organization's runs that wait for their turn comes first. */
            priority: components["schemas"]["Priority"];
            /** @description Why it is `queued`, in words. */
            reason?: string | null;
            /**
             * Format: int64
             * @description Rows that extracts have given.
             */
            records_extracted: number;
            /**
             * Format: int64
             * @description Rows that were quarantined or left out because of what they hold.
             */
            records_failed: number;
            /**
             * Format: int64
             * @description Rows that are visible in the targets of loads.
             */
            records_loaded: number;
            /**
             * Format: int64
             * @description The revision of it.
             */
            revision?: number | null;
            /**
             * Format: int64
             * @description The same.
             */
            rows_loaded: number;
            /** @description The id of the schedule that began the run; null where something else did. */
            schedule_id?: string | null;
            /** @description When it was started or resumed last. */
            started_at: components["schemas"]["Timestamp"];
            /** @description The same to the point: a run that is `failing` or `cancelling` waits for what is under way. */
            state: string;
            status: components["schemas"]["RunStatus"];
            /** @description The id of either. */
            target_id?: string | null;
            /** @description `pipeline` or `transformation`; null for a run of a file that is not kept. */
            target_type?: string | null;
            trigger: components["schemas"]["Trigger"];
        };
        /** @description Runs, and where the next ones are. */
        RunPage: {
            /** @description The `before` of the next page; null where there is none. A search may give a page that is not full and has a next one. */
            next?: string | null;
            /** @description Newest first. */
            runs: components["schemas"]["RunItem"][];
        };
        /**
         * @description Where a run stands, in few words.
         * @enum {string}
         */
        RunStatus: "pending" | "running" | "success" | "failed" | "cancelled";
        /** @description A snapshot of a run. */
        RunView: {
            /** @description In the order of the pipeline file. */
            blocks: {
                [key: string]: components["schemas"]["BlockView"];
            };
            bottleneck?: components["schemas"]["Bottleneck"] | null;
            /** @description Whether an earlier process had begun it. */
            continued: boolean;
            /**
             * Format: double
             * @description CPU time of all its attempts on all executors.
             */
            cpu_seconds: number;
            /** @description Where rows flow from block to block, in the order of the blocks that take them. */
            edges: components["schemas"]["EdgeView"][];
            error?: components["schemas"]["Failure"] | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description The greatest resident memory of any one executor while it worked for the run.
             */
            peak_memory_bytes: number;
            pipeline: string;
            /**
             * @description Loads and in-database blocks that are visible in their targets; a run that did not succeed is partially applied
             *     where there are any.
             */
            published: components["schemas"]["BlockId"][];
            run_id: components["schemas"]["RunId"];
            /** @description How sources differ from what was read of them before. */
            schema_changes: components["schemas"]["SchemaChange"][];
            /** @description In topological order. */
            segments: {
                [key: string]: components["schemas"]["SegmentView"];
            };
            /** @description When it was started or resumed last. */
            started_at: components["schemas"]["Timestamp"];
            state: components["schemas"]["Phase"];
            /** @description The newest result of every data test. */
            tests: components["schemas"]["TestResult"][];
            /** @description What the run as a whole waits for, where it is that: `queued`, `waiting for unlock`. */
            waiting?: string | null;
        };
        /** @description How a pipeline is to be run. */
        RunWish: {
            /** @description Incremental extracts read from the beginning, and sources are taken as they are now. */
            full_refresh?: boolean;
            /**
             * @description Values of the pipeline's parameters, by name; of those that are left out, their defaults. A run that is gone on with
             *     keeps its own.
             */
            params?: Record<string, unknown> | null;
            priority?: components["schemas"]["Priority"] | null;
            /** @description The id of a run of this pipeline to go on with, which must be of the same revision. */
            resume?: string | null;
            /** @description Only this block and what it needs. */
            until?: string | null;
        };
        /** @description A schedule. */
        ScheduleItem: {
            created_at: components["schemas"]["Timestamp"];
            cron_expression: string;
            id: string;
            /** @description Whether it stands in the pipeline's file: it is changed there then. */
            in_file: boolean;
            is_active: boolean;
            last_run?: components["schemas"]["LastRunItem"] | null;
            missed: components["schemas"]["Missed"];
            next_run_at?: components["schemas"]["Timestamp"] | null;
            /** @description The next five times of the cron line. */
            next_runs: string[];
            /** @description What its runs are told, by the names of parameters. */
            params: Record<string, unknown>;
            /** @description The id of the pipeline or transformation. */
            target_id: string;
            target_name: string;
            target_type: components["schemas"]["TargetType"];
            /** @description What the cron line means. */
            text: string;
            timezone: string;
            until?: string | null;
            updated_at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Times that wait for their runs.
             */
            waiting: number;
            /** @description Of a transformation: whether its runs make what it needs first. */
            with_upstream: boolean;
        };
        /** @description Schedules, and where the next ones are. */
        SchedulePage: {
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
            /** @description Oldest first. */
            schedules: components["schemas"]["ScheduleItem"][];
        };
        /** @description A schedule that is to be made or changed. What is left out of a change stays as it is. */
        ScheduleWish: {
            /** @description Minute, hour, day, month, weekday; or six fields, with seconds first. */
            cron_expression?: string | null;
            is_active?: boolean | null;
            missed?: components["schemas"]["Missed"] | null;
            /** @description What its runs are told, by the names of parameters. */
            params?: Record<string, unknown> | null;
            /** @description The id of the pipeline or transformation; it cannot be changed. */
            target_id?: string | null;
            target_type?: components["schemas"]["TargetType"] | null;
            /** @description Such as `Europe/Warsaw`; UTC where it is left out of a new one. */
            timezone?: string | null;
            /** @description Of a pipeline: run only this block and what it needs; empty for all of them. */
            until?: string | null;
            /** @description Of a transformation: make what it needs first. */
            with_upstream?: boolean | null;
        };
        /** @description One column that differs from what its extract read last. */
        SchemaChange: {
            /** @description The same now; `None` for a column that is gone. */
            after?: string | null;
            /** @description Arrow data type before, as Arrow prints it; `None` for a new column. */
            before?: string | null;
            block: components["schemas"]["BlockId"];
            column: string;
            /** @description What became of it. */
            policy: components["schemas"]["SchemaPolicy"];
        };
        /** @description A schema of a connection. */
        SchemaItem: {
            /** @description For files a folder, and `/` for what lies in none. */
            name: string;
            /** Format: int64 */
            tables: number;
        };
        /**
         * @description What becomes of a change.
         * @enum {string}
         */
        SchemaPolicy: "evolve" | "freeze" | "discard_value" | "discard_row" | "pause";
        /** @description The schemas that were found. */
        Schemas: {
            /** @description When it was looked. */
            found_at: components["schemas"]["Timestamp"];
            schemas: components["schemas"]["SchemaItem"][];
        };
        /**
         * @description What an API key may be used for, within what its maker may do.
         * @enum {string}
         */
        Scope: "organization:read" | "organization:write" | "runs:read" | "connections:read" | "connections:write" | "vault" | "runs:write" | "events:read" | "pipelines:read" | "pipelines:write" | "files:read" | "files:write";
        /** @description A segment's name in its run: the id of its root block. */
        SegmentId: string;
        /** @description What one segment would do. */
        SegmentPlan: {
            /** @description Segments it waits for. */
            after: string[];
            /** @description The blocks it runs, in order. */
            blocks: components["schemas"]["BlockId"][];
            /** @description Columns that come out: name and Arrow type. */
            columns: [
                string,
                string
            ][];
            /** @description Boundaries it reads. */
            inputs: components["schemas"]["BlockId"][];
            /** @description The columns of the target with the rule of each, where the load has a `map`. */
            mapping?: [
                string,
                string
            ][];
            /** @description The operators by block; a source's line shows what is sent to it. */
            operators: components["schemas"]["Operators"][];
            output: components["schemas"]["Output"];
            /** @description How its sources differ from what was read last. */
            schema_changes: components["schemas"]["SchemaChange"][];
            segment: string;
            /** @description The target, the way of writing, and what would change in its schema. */
            target?: string | null;
        };
        /** @description One segment of a run. */
        SegmentView: {
            /** Format: int32 */
            attempts: number;
            blocks: components["schemas"]["BlockId"][];
            failure?: components["schemas"]["Failure"] | null;
            output: components["schemas"]["Output"];
            /** @description Where nothing moves, in one sentence. */
            stalled?: string | null;
            /** @description What each of its operators does then, on all executors. */
            standing: components["schemas"]["OperatorStanding"][];
            state: components["schemas"]["BlockPhase"];
        };
        /** @enum {string} */
        Severity: "error" | "warn";
        /** @description The form of OAuth2's password flow; what else it may have does not count here. */
        SignIn: {
            /** Format: password */
            password: string;
            /** @description The e-mail address. */
            username: string;
        };
        SourceColumn: {
            name: string;
            nullable: boolean;
            /** @description As the system writes it: `numeric(15,2)`. */
            type: string;
        };
        /** @description A table that transformations may read. */
        SourceItem: {
            /** @description As they were discovered last; none where nobody has looked. */
            columns: components["schemas"]["SourceColumn"][];
            connection: string;
            id: string;
            loaded_at: components["schemas"]["Timestamp"];
            /** @description The pipeline that loaded it last. */
            pipeline: string;
            /** @description Null where that is not kept. */
            pipeline_id?: string | null;
            /**
             * Format: int64
             * @description Rows that the last load has written; null where the database has made the table by itself.
             */
            rows?: number | null;
            run_id: string;
            /** @description Null where it is the connection's own. */
            schema?: string | null;
            /** @description As `{{ source('raw', 'orders') }}` names its schema. */
            source: string;
            /** @description As it names the table. */
            table: string;
        };
        /** @description Sources, and where the next ones are. */
        SourcePage: {
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
            /** @description In the order in which they were loaded first. */
            sources: components["schemas"]["SourceItem"][];
        };
        /**
         * @description How a pipeline is to be taken.
         * @enum {string}
         */
        Standing: "draft" | "active" | "paused";
        /** @description Where the next incremental read of a block starts. */
        StateItem: {
            /** @description The block that reads. */
            block: string;
            /** @description The column that it is read by. */
            column: string;
            /** @description As Arrow writes it. */
            data_type: string;
            moved_at: components["schemas"]["Timestamp"];
            /** @description The id of the run that came so far; null where a person has set it. */
            run_id?: string | null;
            /** @description The greatest value that was read and loaded, with all of its precision. */
            value: string;
        };
        /** @description From where on to read. */
        StateWish: {
            /** @description As the state shows it: what is greater is read. */
            value: string;
        };
        /**
         * @description How a pipeline stands.
         * @enum {string}
         */
        Status: "draft" | "active" | "paused" | "error";
        /** @description The executors in a few figures. */
        Strip: {
            alive: number;
            /** Format: int32 */
            busy: number;
            draining: number;
            /**
             * Format: int64
             * @description The most that any one of them held for a run that goes on.
             */
            peak_memory_bytes: number;
            /**
             * Format: int32
             * @description Attempts that they take at once; 0 where the coordinator's own process is the executor, which has no limit.
             */
            slots: number;
        };
        /** @description A system that a pipeline reads from or writes to. */
        SystemItem: {
            /** @description The name of the connection; null where the file names a path or a URL instead. */
            connection?: string | null;
            /** @description The name of the connector: `postgres`, `s3`, `file`. */
            type: string;
        };
        /** @description One thing that is otherwise than it was. */
        TableChange: {
            after?: string | null;
            before?: string | null;
            change: components["schemas"]["ChangeKind"];
            /** @description Which, where it is a column. */
            column?: string | null;
            schema: string;
            table: string;
        };
        /** @description A table with everything that is known of it. */
        TableDetail: {
            columns: components["schemas"]["ColumnView"][];
            /** @description Where its rows lead to. */
            foreign_keys: components["schemas"]["ForeignKeyView"][];
            /** @description When it was looked at. */
            found_at: components["schemas"]["Timestamp"];
            kind: components["schemas"]["TableKind"];
            name: string;
            primary_key: string[];
            /** @description Why its columns are not known; null where they are. */
            problem?: string | null;
            /** @description How a pipeline file names it: `shop.public.orders`. */
            reference: string;
            /**
             * Format: int64
             * @description An estimate; null where there is none.
             */
            rows?: number | null;
            schema: string;
        };
        /** @description A table in a list. */
        TableItem: {
            /**
             * Format: int64
             * @description How many it has.
             */
            columns: number;
            kind: components["schemas"]["TableKind"];
            name: string;
            /**
             * Format: int64
             * @description An estimate; null where there is none.
             */
            rows?: number | null;
            schema: string;
        };
        /**
         * @description What sort of table it is.
         * @enum {string}
         */
        TableKind: "table" | "view" | "foreign" | "files";
        /** @description Tables that were found, and where the next ones are. */
        TablePage: {
            /** @description When it was looked. */
            found_at: components["schemas"]["Timestamp"];
            /** @description The `cursor` of the next page; null where there is none. */
            next?: string | null;
            /** @description By schema and name. */
            tables: components["schemas"]["TableItem"][];
        };
        /**
         * @description What a schedule runs.
         * @enum {string}
         */
        TargetType: "pipeline" | "transformation";
        /** @description A block of a run. */
        TaskItem: {
            block_id: string;
            execution_id: string;
            id: string;
            /** @description Where its part of the log is. */
            logs: string;
            output_metadata?: components["schemas"]["OutputItem"] | null;
            status: components["schemas"]["BlockPhase"];
        };
        /** @description What came of a test. */
        TestAnswer: {
            details: components["schemas"]["TestDetails"];
            /** @description What may help. */
            hint?: string | null;
            /** @description In the server's own words, where it has said something. */
            message: string;
            success: boolean;
        };
        TestDetails: {
            db_type: string;
            /** @description The server's, as it says it itself; null where nobody answered. */
            version?: string | null;
        };
        /** @description One data test's verdict. */
        TestResult: {
            block: components["schemas"]["BlockId"];
            /**
             * Format: int64
             * @description Rows that break the test.
             */
            failures: number;
            passed: boolean;
            /** @description Up to five offending rows or values, as text. */
            samples: string[];
            /** @description `error` stops every load behind the tested block; `warn` only reports. */
            severity: components["schemas"]["Severity"];
            /** @description As a person would name it: `unique(customer_id)`. */
            test: string;
        };
        /** @description What the page got. */
        Ticket: {
            ticket: string;
        };
        /**
         * Format: date-time
         * @description A point in time, in milliseconds since 1970; serialised as RFC 3339 in UTC.
         */
        Timestamp: string;
        /** @description What a person calls with from now on. */
        Tokens: {
            /** @description Goes into the header `Authorization: Bearer ...` of each call. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds for which the access token counts.
             */
            expires_in: number;
            /** @description To be exchanged once, for the next of both. */
            refresh_token: string;
            /** @description Always `bearer`. */
            token_type: string;
        };
        /** @description How many of each sort there are. */
        Totals: {
            /** Format: int64 */
            connections: number;
            /** Format: int64 */
            pipelines: number;
            /**
             * Format: int64
             * @description Those that are active.
             */
            schedules: number;
            /** Format: int64 */
            transformations: number;
        };
        /** @description A transformation as it is shown. */
        TransformationItem: {
            connection: string;
            created_at: components["schemas"]["Timestamp"];
            cursor?: string | null;
            /** @description The names of those that its SQL refers to. */
            depends_on: string[];
            description?: string | null;
            id: string;
            materialization: components["schemas"]["Materialization"];
            name: string;
            params: Record<string, unknown>;
            /** Format: int64 */
            revision: number;
            schema_name: string;
            sql_body: string;
            tests: Record<string, unknown>;
            unique_key: string[];
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description Transformations, and where the next ones are. */
        TransformationPage: {
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
            /** @description By name. */
            transformations: components["schemas"]["TransformationItem"][];
        };
        /** @description Which rows are to be seen, of what is kept or of what is sent in its place. */
        TransformationPreviewWish: {
            /** @description How many: 100 where it is left out, never more than 1000. */
            limit?: number | null;
            /** @description Values of the parameters; of those that are left out, their defaults. */
            params?: Record<string, unknown> | null;
            /** @description SQL that is not saved yet. */
            sql_body?: string | null;
        };
        /** @description How a transformation is to be run. */
        TransformationRunWish: {
            /** @description Incremental ones read everything again. */
            full_refresh?: boolean;
            /** @description Values of the parameters; of those that are left out, their defaults. */
            params?: Record<string, unknown> | null;
            priority?: components["schemas"]["Priority"] | null;
        };
        /** @description A transformation that is to be made or changed. What is left out of a change stays as it is. */
        TransformationWish: {
            /** @description `warehouse` where it is left out of a new one. */
            connection?: string | null;
            /** @description Incremental: a column that grows, so that each run reads only what is new in it; empty to read everything each time. */
            cursor?: string | null;
            description?: string | null;
            materialization?: components["schemas"]["Materialization"] | null;
            /** @description 1 to 50 letters, digits and `_`; its table or view is called so. */
            name?: string | null;
            /** @description The parameters that its SQL names, as the `params` of a pipeline file. */
            params?: Record<string, unknown> | null;
            /** @description `staging` where it is left out of a new one in the built-in warehouse, whose schemas are `raw`, `staging` and `marts`. */
            schema_name?: string | null;
            /**
             * @description One query in the database's own dialect. `{{ ref('orders_clean') }}` is another transformation,
             *     `{{ source('raw', 'orders') }}` a table that a pipeline has loaded, `{{ var('day') }}` a parameter.
             */
            sql_body?: string | null;
            /**
             * @description What is tested of its rows after each run, as the `test` block of pipelines has it: `unique`, `not_null`,
             *     `accepted_values`, `relationships` to others as `name.column`, `rows`, `sql`, `severity`.
             */
            tests?: Record<string, unknown> | null;
            /** @description Incremental: the columns that name a row. */
            unique_key?: string[] | null;
        };
        /**
         * @description What began a run.
         * @enum {string}
         */
        Trigger: "client" | "manual" | "api" | "schedule" | "webhook" | "upstream" | "files";
        /** @description A trigger with its newest events. */
        TriggerDetail: components["schemas"]["TriggerItem"] & {
            /** @description Newest first, up to 50. */
            firings: components["schemas"]["FiringItem"][];
        };
        /** @description A trigger. */
        TriggerItem: {
            created_at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Of kind `files`: how often it looks.
             */
            every_seconds?: number | null;
            id: string;
            is_active: boolean;
            kind: components["schemas"]["TriggerKind"];
            last_fired_at?: components["schemas"]["Timestamp"] | null;
            params: Record<string, unknown>;
            /** @description Of kind `files`: where they have to arrive. */
            place?: string | null;
            /** @description Of kind `files`: why nothing could be seen at the newest look. */
            problem?: string | null;
            /** @description The id of the pipeline that it runs. */
            target_id: string;
            target_name: string;
            target_type: components["schemas"]["TriggerTarget"];
            until?: string | null;
            updated_at: components["schemas"]["Timestamp"];
            /** @description Pipelines that have to succeed; none but for kind `upstream`. */
            upstream: components["schemas"]["Upstream"][];
            /**
             * Format: int64
             * @description Events that wait for their runs.
             */
            waiting: number;
        };
        /**
         * @description What a trigger waits for.
         * @enum {string}
         */
        TriggerKind: "webhook" | "upstream" | "files";
        /** @description Triggers, and where the next ones are. */
        TriggerPage: {
            /** @description The `after` of the next page; null where there is none. */
            next?: string | null;
            /** @description Oldest first. */
            triggers: components["schemas"]["TriggerItem"][];
        };
        /**
         * @description What a trigger waits for and runs.
         * @enum {string}
         */
        TriggerTarget: "pipeline";
        /** @description A trigger that is to be made or changed. What is left out of a change stays as it is. */
        TriggerWish: {
            /**
             * Format: int64
             * @description How often it looks: 30 where it is left out, at least 5.
             */
            every_seconds?: number | null;
            is_active?: boolean | null;
            kind?: components["schemas"]["TriggerKind"] | null;
            /** @description What its runs are told, by the names of the pipeline's parameters. What a call tells counts before it. */
            params?: Record<string, unknown> | null;
            /**
             * @description Where files have to arrive, as pipelines read them: `connection/path`, in which `*` and `?` stand for any part of a
             *     name and `**` for any folders; a path that ends in `/` means all below it. It fires once for all files that are new or
             *     changed since it last looked, each once it is the same at two looks. What is there at its first look is no arrival.
             */
            place?: string | null;
            /** @description The id of the pipeline that it runs; it cannot be changed. */
            target_id?: string | null;
            target_type?: components["schemas"]["TriggerTarget"] | null;
            /** @description Run only this block and what it needs; empty for all of them. */
            until?: string | null;
            /** @description The ids of the pipelines that have to succeed, each once, before it fires. */
            upstream?: string[] | null;
        };
        /** @description What opens a vault. */
        Unlocking: {
            /** @description The master password. */
            password: string;
        };
        /** @description A file that is being uploaded. */
        Upload: {
            created_at: components["schemas"]["Timestamp"];
            folder: string;
            id: string;
            name: string;
            /**
             * Format: int64
             * @description From where on to send more.
             */
            offset: number;
            /** @description What it is to be, where that was said. */
            sha256?: string | null;
            /** Format: int64 */
            size: number;
        };
        /** @description A file that is to come. */
        UploadWish: {
            /** @description In none where it is left out. */
            folder?: string;
            name: string;
            /** @description What its content is to be, in hexadecimal digits; where it is another the file is not made. */
            sha256?: string | null;
            /**
             * Format: int64
             * @description Bytes, 64 GiB at most.
             */
            size: number;
        };
        /** @description A pipeline that a trigger waits for. */
        Upstream: {
            /** @description Its newest success since the trigger fired last; null while that is waited for. */
            run_id?: string | null;
            /** @description The id of the pipeline. */
            upstream_id: string;
            upstream_name: string;
            /** @description Always `pipeline`. */
            upstream_type: components["schemas"]["TriggerTarget"];
        };
        /** @description What a file is found to be. */
        Validation: {
            graph_definition?: components["schemas"]["GraphDefinition"] | null;
            is_valid: boolean;
            /** @description Everything that is wrong, each with its line and column. */
            problems: components["schemas"]["PipelineProblem"][];
        };
        /** @description How a vault stands. */
        VaultStatus: {
            /** @description Whether there is a vault: the first secret makes it. */
            exists: boolean;
            /**
             * Format: int32
             * @description How often that is hashed.
             */
            iterations?: number | null;
            /** @description Whether a key of the installation opens it, so that it is open after every start. */
            key: boolean;
            /** @description Whether it takes the master password before a connection can be tested or a run begin. */
            locked: boolean;
            /** @description Whether a master password opens it. */
            password: boolean;
        };
    };
    responses: {
        /** @description The call was refused: the status and `detail` say why. */
        problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
