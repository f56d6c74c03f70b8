import { createEncoder } from "../protobuf/encode.ts";
import { readSchema } from "../protobuf/schema.ts";

/**
 * The messages of a route configuration, with the fields that are used here and the numbers that
 * Envoy's `.proto` files give them. Filters whose settings few routes have are not here.
 */
const SCHEMA = readSchema({
  "envoy.config.route.v3": {
    RouteConfiguration: `
      1 name string
      2 virtual_hosts VirtualHost[]
      14 ignore_port_in_host_matching bool
      16 typed_per_filter_config map<google.protobuf.Any>`,
    VirtualHost: `
      1 name string
      2 domains string[]
      3 routes Route[]`,
    Route: `
      14 name string
      1 match RouteMatch
      2 route RouteAction
      3 redirect RedirectAction
      7 direct_response DirectResponseAction
      4 metadata envoy.config.core.v3.Metadata
      9 request_headers_to_add envoy.config.core.v3.HeaderValueOption[]
      12 request_headers_to_remove string[]
      10 response_headers_to_add envoy.config.core.v3.HeaderValueOption[]
      11 response_headers_to_remove string[]
      13 typed_per_filter_config map<google.protobuf.Any>`,
    RouteMatch: `
      1 prefix string
      2 path string
      14 path_separated_prefix string
      10 safe_regex envoy.type.matcher.v3.RegexMatcher
      4 case_sensitive google.protobuf.BoolValue
      6 headers HeaderMatcher[]
      7 query_parameters QueryParameterMatcher[]
      8 grpc RouteMatch.GrpcRouteMatchOptions`,
    "RouteMatch.GrpcRouteMatchOptions": "",
    HeaderMatcher: `
      1 name string
      13 string_match envoy.type.matcher.v3.StringMatcher`,
    QueryParameterMatcher: `
      1 name string
      5 string_match envoy.type.matcher.v3.StringMatcher`,
    RouteAction: `
      1 cluster string
      3 weighted_clusters WeightedCluster
      20 cluster_not_found_response_code {SERVICE_UNAVAILABLE=0 NOT_FOUND=1 INTERNAL_SERVER_ERROR=2}
      5 prefix_rewrite string
      32 regex_rewrite envoy.type.matcher.v3.RegexMatchAndSubstitute
      6 host_rewrite_literal string
      8 timeout google.protobuf.Duration
      24 idle_timeout google.protobuf.Duration
      9 retry_policy RetryPolicy
      13 rate_limits RateLimit[]
      25 upgrade_configs RouteAction.UpgradeConfig[]
      30 request_mirror_policies RouteAction.RequestMirrorPolicy[]`,
    "RouteAction.UpgradeConfig": `
      1 upgrade_type string
      2 enabled google.protobuf.BoolValue`,
    "RouteAction.RequestMirrorPolicy": `
      1 cluster string
      3 runtime_fraction envoy.config.core.v3.RuntimeFractionalPercent
      6 disable_shadow_host_suffix_append bool`,
    WeightedCluster: `
      1 clusters WeightedCluster.ClusterWeight[]`,
    "WeightedCluster.ClusterWeight": `
      1 name string
      2 weight google.protobuf.UInt32Value
      4 request_headers_to_add envoy.config.core.v3.HeaderValueOption[]
      9 request_headers_to_remove string[]
      5 response_headers_to_add envoy.config.core.v3.HeaderValueOption[]
      6 response_headers_to_remove string[]`,
    RedirectAction: `
      1 host_redirect string
      2 path_redirect string
      5 prefix_rewrite string
      9 regex_rewrite envoy.type.matcher.v3.RegexMatchAndSubstitute
      7 scheme_redirect string
      8 port_redirect uint32
      3 response_code {MOVED_PERMANENTLY=0 FOUND=1 SEE_OTHER=2 TEMPORARY_REDIRECT=3 PERMANENT_REDIRECT=4}`,
    DirectResponseAction: "1 status uint32",
    RetryPolicy: `
      1 retry_on string
      2 num_retries google.protobuf.UInt32Value
      3 per_try_timeout google.protobuf.Duration
      5 retry_host_predicate RetryPolicy.RetryHostPredicate[]
      6 host_selection_retry_max_attempts int64
      7 retriable_status_codes uint32[]
      8 retry_back_off RetryPolicy.RetryBackOff`,
    "RetryPolicy.RetryHostPredicate": `
      1 name string
      3 typed_config google.protobuf.Any`,
    "RetryPolicy.RetryBackOff": `
      1 base_interval google.protobuf.Duration
      2 max_interval google.protobuf.Duration`,
    RateLimit: `
      1 stage google.protobuf.UInt32Value
      3 actions RateLimit.Action[]
      7 x_ratelimit_option {UNSPECIFIED=0 OFF=1 DRAFT_VERSION_03=2}`,
    "RateLimit.Action": `
      3 request_headers RateLimit.Action.RequestHeaders
      5 generic_key RateLimit.Action.GenericKey
      8 metadata RateLimit.Action.MetaData
      10 masked_remote_address RateLimit.Action.MaskedRemoteAddress`,
    "RateLimit.Action.RequestHeaders": `
      1 header_name string
      2 descriptor_key string`,
    "RateLimit.Action.GenericKey": `
      1 descriptor_value string
      2 descriptor_key string`,
    "RateLimit.Action.MetaData": `
      1 descriptor_key string
      2 metadata_key envoy.type.metadata.v3.MetadataKey
      4 source {DYNAMIC=0 ROUTE_ENTRY=1}
      5 skip_if_absent bool`,
    "RateLimit.Action.MaskedRemoteAddress": `
      1 v4_prefix_mask_len google.protobuf.UInt32Value
      2 v6_prefix_mask_len google.protobuf.UInt32Value`,
    FilterConfig: `
      1 config google.protobuf.Any
      3 disabled bool`,
  },
  "envoy.config.core.v3": {
    Metadata: "1 filter_metadata map<google.protobuf.Struct>",
    HeaderValueOption: `
      1 header HeaderValue
      3 append_action {APPEND_IF_EXISTS_OR_ADD=0 ADD_IF_ABSENT=1 OVERWRITE_IF_EXISTS_OR_ADD=2 OVERWRITE_IF_EXISTS=3}`,
    HeaderValue: `
      1 key string
      2 value string`,
    RuntimeFractionalPercent: "1 default_value envoy.type.v3.FractionalPercent",
  },
  "envoy.type.v3": {
    FractionalPercent: `
      1 numerator uint32
      2 denominator {HUNDRED=0 TEN_THOUSAND=1 MILLION=2}`,
  },
  "envoy.type.matcher.v3": {
    StringMatcher: `
      1 exact string
      5 safe_regex RegexMatcher`,
    RegexMatcher: "2 regex string",
    RegexMatchAndSubstitute: `
      1 pattern RegexMatcher
      2 substitution string`,
  },
  "envoy.type.metadata.v3": {
    MetadataKey: `
      1 key string
      2 path MetadataKey.PathSegment[]`,
    "MetadataKey.PathSegment": "1 key string",
  },
  "envoy.extensions.filters.http.jwt_authn.v3": {
    PerRouteConfig: `
      1 disabled bool
      2 requirement_name string`,
  },
  "envoy.extensions.retry.host.previous_hosts.v3": { PreviousHostsPredicate: "" },
  "envoy.service.discovery.v3": {
    DiscoveryResponse: `
      1 version_info string
      2 resources google.protobuf.Any[]`,
  },
});

const REMEMBERED = new Set(["envoy.config.route.v3.Route", "envoy.config.route.v3.VirtualHost"]);

/** Routes and hosts that are the same JavaScript objects as before cost a copy of their bytes. */
export const encodeRouteMessage = createEncoder(SCHEMA, REMEMBERED);
